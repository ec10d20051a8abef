"""llmeval from Python: what a program needs that plans, runs and reads evaluations itself.

The command line is made of this, and so is the server.
"""

from llmeval_core.api.checks import CheckResult, run_checks
from llmeval_core.api.core_checks import core_checks
from llmeval_core.api.existing_journal import existing_journal
from llmeval_core.api.leaderboard import Leaderboard, cell_text, make_leaderboard
from llmeval_core.api.leaderboard_notes import (
    ConditionChange,
    ConditionMismatch,
    differences,
    listed,
)
from llmeval_core.api.leaderboard_order import in_run_order
from llmeval_core.api.outcome_json import outcome_json
from llmeval_core.api.outcome_notes import outcome_notes
from llmeval_core.api.preflight import preflight_of_plan, preflight_of_run
from llmeval_core.api.run_file_schema import run_file_schema
from llmeval_core.api.sample_json import sample_json
from llmeval_core.api.sample_pages import (
    SampleCounts,
    SamplePage,
    count_samples,
    find_task,
    sample_at,
    sample_page,
    samples_by_id,
)
from llmeval_core.api.sample_selection import SampleSelection, find_samples
from llmeval_core.api.session import Session, make_session
from llmeval_core.api.settings_schema import settings_schema
from llmeval_core.api.syncing import SyncOutcome, deliver_again, deliver_pending
from llmeval_core.catalog import KINDS, Catalog, Kind, Preflight, RegisteredComponent, make_plan
from llmeval_core.config import Origin, RunConfig, read_run_text, validate
from llmeval_core.engine import (
    Progress,
    RunOutcome,
    SilentProgress,
    TaskMeter,
    TaskPreview,
    preview,
    run_plan,
)
from llmeval_core.errors import JournalError, PluginError, UnknownNameError
from llmeval_core.journal import (
    BoundedCount,
    DeliveryRepository,
    Journal,
    JournalQueries,
    SampleFilter,
    StoredTask,
)
from llmeval_core.plan import Plan
from llmeval_core.printable import shown, shown_parts

__all__ = [
    "KINDS",
    "BoundedCount",
    "Catalog",
    "CheckResult",
    "ConditionChange",
    "ConditionMismatch",
    "DeliveryRepository",
    "Journal",
    "JournalError",
    "JournalQueries",
    "Kind",
    "Leaderboard",
    "Origin",
    "Plan",
    "PluginError",
    "Preflight",
    "Progress",
    "RegisteredComponent",
    "RunConfig",
    "RunOutcome",
    "SampleCounts",
    "SampleFilter",
    "SamplePage",
    "SampleSelection",
    "Session",
    "SilentProgress",
    "StoredTask",
    "SyncOutcome",
    "TaskMeter",
    "TaskPreview",
    "UnknownNameError",
    "cell_text",
    "core_checks",
    "count_samples",
    "deliver_again",
    "deliver_pending",
    "differences",
    "existing_journal",
    "find_samples",
    "find_task",
    "in_run_order",
    "listed",
    "make_leaderboard",
    "make_plan",
    "make_session",
    "outcome_json",
    "outcome_notes",
    "preflight_of_plan",
    "preflight_of_run",
    "preview",
    "read_run_text",
    "run_checks",
    "run_file_schema",
    "run_plan",
    "sample_at",
    "sample_json",
    "sample_page",
    "samples_by_id",
    "settings_schema",
    "shown",
    "shown_parts",
    "validate",
]
