"""The pipeline: a Plan and a journal in, task results out."""

from llmeval_core.engine.open_files import within_open_files
from llmeval_core.engine.preview import TaskPreview, preview, preview_task
from llmeval_core.engine.progress import Progress, SilentMeter, SilentProgress, TaskMeter
from llmeval_core.engine.reasking import ReaskFilter, read_again
from llmeval_core.engine.run import RunOutcome, run_plan
from llmeval_core.engine.thinking import little_room_to_think

__all__ = [
    "Progress",
    "ReaskFilter",
    "RunOutcome",
    "SilentMeter",
    "SilentProgress",
    "TaskMeter",
    "TaskPreview",
    "little_room_to_think",
    "preview",
    "preview_task",
    "read_again",
    "run_plan",
    "within_open_files",
]
