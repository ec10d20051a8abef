"""The pipeline: a Plan and a journal in, task results out."""

from llmeval_core.engine.open_files import within_open_files
from llmeval_core.engine.preview import TaskPreview, preview, preview_task
from llmeval_core.engine.progress import Progress, SilentMeter, SilentProgress, TaskMeter
from llmeval_core.engine.run import RunOutcome, run_plan

__all__ = [
    "Progress",
    "RunOutcome",
    "SilentMeter",
    "SilentProgress",
    "TaskMeter",
    "TaskPreview",
    "preview",
    "preview_task",
    "run_plan",
    "within_open_files",
]
