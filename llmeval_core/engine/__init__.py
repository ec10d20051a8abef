"""The pipeline: a Plan and a journal in, task results out."""

from llmeval_core.engine.estimates import Estimate
from llmeval_core.engine.item_preview import RolePreview
from llmeval_core.engine.open_files import fit_to_open_files
from llmeval_core.engine.preview import TaskPreview, preview, preview_task
from llmeval_core.engine.progress import Progress, SilentMeter, SilentProgress, TaskMeter
from llmeval_core.engine.reasking import ReaskFilter, read_reask_filters
from llmeval_core.engine.reasoning_room import plan_reasoning_warnings
from llmeval_core.engine.run import RunOutcome, run_plan

__all__ = [
    "Estimate",
    "Progress",
    "ReaskFilter",
    "RolePreview",
    "RunOutcome",
    "SilentMeter",
    "SilentProgress",
    "TaskMeter",
    "TaskPreview",
    "fit_to_open_files",
    "plan_reasoning_warnings",
    "preview",
    "preview_task",
    "read_reask_filters",
    "run_plan",
]
