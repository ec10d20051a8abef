"""llmeval for Python: all that a program needs to plan, run and read evaluations.

The command line, the server and the package `llmeval` are made of it; import from here and never
from the modules behind it. Plugins are written with `llmeval_core.hooks`.

* Plugins and what they offer: `Session`, `make_session`, `Plugin`, `Catalog`, `Kind`, `KINDS`,
  `RegisteredComponent`, `settings_schema`, `settings_in_words`, `Setting`, `component_example`,
  `component_name`, `run_file_schema`, `attributions`, `unknown_model_note`, `Attribution`,
  `Dataset`, `Check`, `CheckOutcome`, `CheckResult`, `run_checks`, `core_checks`.
* The run file: `RunConfig`, `ComponentConfig`, `ModelConfig`, `TrackerConfig`, `Origin`,
  `load_run_file`, `read_run_text`, `validate`, `read_config`, `make_config`,
  `OPENAI_API`, `read_key_values`, `with_file_datasets`, `file_dataset`.
* Planning a run: `Plan`, `PlannedTracker`, `make_plan`, `make_trackers`, `Preflight`,
  `ReadinessCheck`, `preflight_of_run`, `preflight_of_plan`, `TaskPreview`, `RolePreview`,
  `Estimate`, `preview`,
  `preview_task`, `fit_to_open_files`, `plan_reasoning_warnings`, `PromptPreview`, `PreviewedTask`,
  `preview_tasks`, `preview_dataset`, `search_tasks`.
* Running it: `run_plan`, `run_until_complete`, `RunOutcome`, `Progress`, `TaskMeter`,
  `SilentProgress`, `SilentMeter`, `ReaskFilter`, `read_reask_filters`,
  `outcome_json`, `outcome_notes`, `counts_text`.
  Bars and lines that show it are in `llmeval_core.api.progress_bars`, which imports rich.
* The journal: `project_folder`, `Journal`, `JournalQueries`, `StoredTask`, `home_problem`,
  `existing_journal`, `has_journal`.
* Results: `Leaderboard`, `make_leaderboard`, `in_run_order`, `cell_text`, `sample_count_text`,
  `to_csv`, `to_json`, `to_markdown`, `ConditionChange`, `ConditionMismatch`,
  `condition_differences`, `leaderboard_notes`, `superseded_notes`, `join_names`,
  `finish_time_text`, `HistoryEntry`, `history`, `history_json`, `coverage_of`.
* Samples: `SampleCriteria`, `SampleSelection`, `find_samples`, `known_outcome`, `SamplePage`,
  `sample_page`, `stream_samples`, `sample_at`, `samples_by_id`, `sample_categories`,
  `SampleCounts`, `count_samples`, `BoundedCount`, `sample_json`, `asked_json`, `expected_json`,
  `ReasoningFinder`, `ReasoningSplit`, `split_answers`, `ToldTurn`, `told_turns`,
  `message_line`, `call_line`.
* Deliveries to trackers: `SyncOutcome`, `deliver_pending`, `deliver_again`, `deliver_to`,
  `DeliveryRepository`, `PendingDelivery`, `StoredTracker`.
* Records: `TaskResult`, `MetricResult`, `Aggregate`, `RunSummary`, `TrackerStatus`, `OUTCOMES`,
  `Outcome`, `SampleResult`, `Sample`, `Message`, `Request`, `Generation`, `ToolCall`, `Turn`,
  `Score`, `Failure`.
* Errors: `LlmevalError`, `ConfigError`, `UnknownNameError`, `PluginError`, `DatasetError`,
  `JournalError`, `wrap_plugin_errors`, `describe_error`.
* Text: `shown`, `shown_json`, `shown_parts`, `as_cell`, `did_you_mean`, `expand_path`,
  `with_count`, `run_counts_text`, `waiting_text`.
"""

from llmeval_core import __version__
from llmeval_core.api.built_in_checks import core_checks
from llmeval_core.api.check_runner import CheckResult, run_checks
from llmeval_core.api.default_home import project_folder
from llmeval_core.api.event_loop import run_until_complete
from llmeval_core.api.file_datasets import file_dataset, with_file_datasets
from llmeval_core.api.journal_opening import existing_journal, has_journal
from llmeval_core.api.key_values import read_key_values
from llmeval_core.api.leaderboard import (
    Leaderboard,
    cell_text,
    make_leaderboard,
    sample_count_text,
    to_csv,
    to_json,
    to_markdown,
)
from llmeval_core.api.leaderboard_order import in_run_order
from llmeval_core.api.licences import attributions, unknown_model_note
from llmeval_core.api.notes_on_leaderboard import (
    ConditionChange,
    ConditionMismatch,
    condition_differences,
    finish_time_text,
    join_names,
    leaderboard_notes,
    superseded_notes,
)
from llmeval_core.api.notes_on_outcomes import counts_text, outcome_notes
from llmeval_core.api.outcomes_as_json import outcome_json
from llmeval_core.api.preflight import preflight_of_plan, preflight_of_run
from llmeval_core.api.prompt_preview import (
    PreviewedTask,
    PromptPreview,
    preview_dataset,
    preview_tasks,
)
from llmeval_core.api.run_file_json_schema import run_file_schema
from llmeval_core.api.run_flags import OPENAI_API, read_config
from llmeval_core.api.run_settings import make_config
from llmeval_core.api.run_words import run_counts_text, waiting_text
from llmeval_core.api.sample_pages import (
    SampleCounts,
    SamplePage,
    count_samples,
    sample_at,
    sample_categories,
    sample_page,
    samples_by_id,
    stream_samples,
)
from llmeval_core.api.sample_selection import (
    SampleCriteria,
    SampleSelection,
    find_samples,
    known_outcome,
)
from llmeval_core.api.samples_as_json import asked_json, expected_json, sample_json
from llmeval_core.api.session import Session, make_session
from llmeval_core.api.settings_json_schema import (
    Setting,
    component_example,
    component_name,
    settings_in_words,
    settings_schema,
)
from llmeval_core.api.spreadsheets import as_cell
from llmeval_core.api.syncing import SyncOutcome, deliver_again, deliver_pending, deliver_to
from llmeval_core.api.task_history import HistoryEntry, history, history_json
from llmeval_core.api.task_search import search_tasks
from llmeval_core.catalog import (
    KINDS,
    Catalog,
    Kind,
    Preflight,
    ReadinessCheck,
    RegisteredComponent,
    make_plan,
    make_trackers,
)
from llmeval_core.completeness import coverage_of
from llmeval_core.config import (
    ComponentConfig,
    ModelConfig,
    Origin,
    RunConfig,
    TrackerConfig,
    load_run_file,
    read_run_text,
    validate,
)
from llmeval_core.contracts import Attribution, Check, CheckOutcome, Dataset
from llmeval_core.engine import (
    Estimate,
    Progress,
    ReaskFilter,
    RolePreview,
    RunOutcome,
    SilentMeter,
    SilentProgress,
    TaskMeter,
    TaskPreview,
    fit_to_open_files,
    plan_reasoning_warnings,
    preview,
    preview_task,
    read_reask_filters,
    run_plan,
)
from llmeval_core.errors import (
    ConfigError,
    DatasetError,
    JournalError,
    LlmevalError,
    PluginError,
    UnknownNameError,
    describe_error,
    wrap_plugin_errors,
)
from llmeval_core.host import Plugin
from llmeval_core.journal import (
    BoundedCount,
    DeliveryRepository,
    Journal,
    JournalQueries,
    PendingDelivery,
    StoredTask,
    StoredTracker,
    home_problem,
)
from llmeval_core.naming import did_you_mean
from llmeval_core.paths import expand_path
from llmeval_core.plan import Plan, PlannedTracker
from llmeval_core.printable import shown, shown_json, shown_parts, with_count
from llmeval_core.reasoning import (
    ReasoningFinder,
    ReasoningSplit,
    ToldTurn,
    call_line,
    message_line,
    split_answers,
    told_turns,
)
from llmeval_core.records import (
    OUTCOMES,
    Aggregate,
    Failure,
    Generation,
    Message,
    MetricResult,
    Outcome,
    Request,
    RunSummary,
    Sample,
    SampleResult,
    Score,
    TaskResult,
    ToolCall,
    TrackerStatus,
    Turn,
)

__all__ = [
    "KINDS",
    "OPENAI_API",
    "OUTCOMES",
    "Aggregate",
    "Attribution",
    "BoundedCount",
    "Catalog",
    "Check",
    "CheckOutcome",
    "CheckResult",
    "ComponentConfig",
    "ConditionChange",
    "ConditionMismatch",
    "ConfigError",
    "Dataset",
    "DatasetError",
    "DeliveryRepository",
    "Estimate",
    "Failure",
    "Generation",
    "HistoryEntry",
    "Journal",
    "JournalError",
    "JournalQueries",
    "Kind",
    "Leaderboard",
    "LlmevalError",
    "Message",
    "MetricResult",
    "ModelConfig",
    "Origin",
    "Outcome",
    "PendingDelivery",
    "Plan",
    "PlannedTracker",
    "Plugin",
    "PluginError",
    "Preflight",
    "PreviewedTask",
    "Progress",
    "PromptPreview",
    "ReadinessCheck",
    "ReaskFilter",
    "ReasoningFinder",
    "ReasoningSplit",
    "RegisteredComponent",
    "Request",
    "RolePreview",
    "RunConfig",
    "RunOutcome",
    "RunSummary",
    "Sample",
    "SampleCounts",
    "SampleCriteria",
    "SamplePage",
    "SampleResult",
    "SampleSelection",
    "Score",
    "Session",
    "Setting",
    "SilentMeter",
    "SilentProgress",
    "StoredTask",
    "StoredTracker",
    "SyncOutcome",
    "TaskMeter",
    "TaskPreview",
    "TaskResult",
    "ToldTurn",
    "ToolCall",
    "TrackerConfig",
    "TrackerStatus",
    "Turn",
    "UnknownNameError",
    "__version__",
    "as_cell",
    "asked_json",
    "attributions",
    "call_line",
    "cell_text",
    "component_example",
    "component_name",
    "condition_differences",
    "core_checks",
    "count_samples",
    "counts_text",
    "coverage_of",
    "deliver_again",
    "deliver_pending",
    "deliver_to",
    "describe_error",
    "did_you_mean",
    "existing_journal",
    "expand_path",
    "expected_json",
    "file_dataset",
    "find_samples",
    "finish_time_text",
    "fit_to_open_files",
    "has_journal",
    "history",
    "history_json",
    "home_problem",
    "in_run_order",
    "join_names",
    "known_outcome",
    "leaderboard_notes",
    "load_run_file",
    "make_config",
    "make_leaderboard",
    "make_plan",
    "make_session",
    "make_trackers",
    "message_line",
    "outcome_json",
    "outcome_notes",
    "plan_reasoning_warnings",
    "preflight_of_plan",
    "preflight_of_run",
    "preview",
    "preview_dataset",
    "preview_task",
    "preview_tasks",
    "project_folder",
    "read_config",
    "read_key_values",
    "read_reask_filters",
    "read_run_text",
    "run_checks",
    "run_counts_text",
    "run_file_schema",
    "run_plan",
    "run_until_complete",
    "sample_at",
    "sample_categories",
    "sample_count_text",
    "sample_json",
    "sample_page",
    "samples_by_id",
    "search_tasks",
    "settings_in_words",
    "settings_schema",
    "shown",
    "shown_json",
    "shown_parts",
    "split_answers",
    "stream_samples",
    "superseded_notes",
    "to_csv",
    "to_json",
    "to_markdown",
    "told_turns",
    "unknown_model_note",
    "validate",
    "waiting_text",
    "with_count",
    "with_file_datasets",
    "wrap_plugin_errors",
]
