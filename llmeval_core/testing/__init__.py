"""For plugin authors' tests: fakes, makers of records, a run in process, conformance checks.

Plain functions that raise AssertionError with a sentence; no pytest is needed.
"""

from llmeval_core.testing.checking_datasets import check_dataset
from llmeval_core.testing.checking_metrics import check_metric
from llmeval_core.testing.checking_models import check_model
from llmeval_core.testing.checking_plugins import check_plugin
from llmeval_core.testing.checking_task_sources import check_task_source
from llmeval_core.testing.checking_tasks import check_solver, check_task
from llmeval_core.testing.checking_tools import check_tool
from llmeval_core.testing.checking_trackers import check_tracker, run_info
from llmeval_core.testing.fakes import FakeDataset, FakeMetric, FakeModel, ListTracker
from llmeval_core.testing.makers import make_generation, make_request, make_sample, make_task_result
from llmeval_core.testing.odd_answer_cases import check_odd_answers, odd_answers, odd_values
from llmeval_core.testing.recording_ask import RecordingAsk, trial_answer
from llmeval_core.testing.running import run_in
from llmeval_core.testing.trying_plugins import Trial, TrialVerdict, try_plugin

__all__ = [
    "FakeDataset",
    "FakeMetric",
    "FakeModel",
    "ListTracker",
    "RecordingAsk",
    "Trial",
    "TrialVerdict",
    "check_dataset",
    "check_metric",
    "check_model",
    "check_odd_answers",
    "check_plugin",
    "check_solver",
    "check_task",
    "check_task_source",
    "check_tool",
    "check_tracker",
    "make_generation",
    "make_request",
    "make_sample",
    "make_task_result",
    "odd_answers",
    "odd_values",
    "run_in",
    "run_info",
    "trial_answer",
    "try_plugin",
]
