"""The records that walk through the pipeline, from a sample to a task's result."""

from llmeval_core.records.outcomes import OUTCOMES, Outcome, StopReason, stop_reason
from llmeval_core.records.results import (
    Aggregate,
    MetricResult,
    RunSummary,
    TaskResult,
    TrackerStatus,
)
from llmeval_core.records.sample_check import sample_problem
from llmeval_core.records.samples import (
    Failure,
    Generation,
    GenerationSettings,
    Loglikelihood,
    Message,
    Mode,
    Reasoning,
    Request,
    Sample,
    SampleResult,
    Score,
)
from llmeval_core.records.value_text import plain_text

__all__ = [
    "OUTCOMES",
    "Aggregate",
    "Failure",
    "Generation",
    "GenerationSettings",
    "Loglikelihood",
    "Message",
    "MetricResult",
    "Mode",
    "Outcome",
    "Reasoning",
    "Request",
    "RunSummary",
    "Sample",
    "SampleResult",
    "Score",
    "StopReason",
    "TaskResult",
    "TrackerStatus",
    "plain_text",
    "sample_problem",
    "stop_reason",
]
