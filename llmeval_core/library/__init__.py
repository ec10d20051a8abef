"""llmeval from Python: what a program needs that plans, runs and reads evaluations itself.

The command line is made of this, and so is the server.
"""

from llmeval_core.catalog import KINDS, Catalog, Kind, Offer, Preflight, make_plan
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
from llmeval_core.journal import Count, Deliveries, Ending, Journal, Reader, StoredTask
from llmeval_core.library.checks import Finding, run_checks
from llmeval_core.library.core_checks import core_checks
from llmeval_core.library.existing_journal import existing_journal
from llmeval_core.library.leaderboard import Leaderboard, cell_text, make_leaderboard
from llmeval_core.library.leaderboard_notes import Apart, Change, differences, listed
from llmeval_core.library.outcome_json import outcome_json
from llmeval_core.library.outcome_notes import outcome_notes
from llmeval_core.library.preflight import preflight_of_plan, preflight_of_run
from llmeval_core.library.printable import shown, shown_parts
from llmeval_core.library.run_file_schema import run_file_schema
from llmeval_core.library.sample_json import sample_json
from llmeval_core.library.sample_pages import (
    SampleCounts,
    SamplePage,
    count_samples,
    find_task,
    sample_at,
    sample_page,
    samples_by_id,
)
from llmeval_core.library.session import Session, make_session
from llmeval_core.library.settings_schema import settings_schema
from llmeval_core.library.stored_samples import Found, find_samples
from llmeval_core.library.syncing import SyncOutcome, deliver_again, deliver_lacking
from llmeval_core.plan import Plan

__all__ = [
    "KINDS",
    "Apart",
    "Catalog",
    "Change",
    "Count",
    "Deliveries",
    "Ending",
    "Finding",
    "Found",
    "Journal",
    "JournalError",
    "Kind",
    "Leaderboard",
    "Offer",
    "Origin",
    "Plan",
    "PluginError",
    "Preflight",
    "Progress",
    "Reader",
    "RunConfig",
    "RunOutcome",
    "SampleCounts",
    "SamplePage",
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
    "deliver_lacking",
    "differences",
    "existing_journal",
    "find_samples",
    "find_task",
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
