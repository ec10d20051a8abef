"""The records that walk through the pipeline, from a sample to a task's result."""

from llmeval_core.records.outcomes import OUTCOMES, Outcome, StopReason, stop_reason
from llmeval_core.records.results import (
    Aggregate,
    MetricResult,
    RunSummary,
    TaskResult,
    TrackerStanding,
)
from llmeval_core.records.samples import (
    Failure,
    Generation,
    GenerationSettings,
    Loglikelihood,
    Message,
    Mode,
    Request,
    Sample,
    SampleResult,
    Score,
)

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
    "Request",
    "RunSummary",
    "Sample",
    "SampleResult",
    "Score",
    "StopReason",
    "TaskResult",
    "TrackerStanding",
    "stop_reason",
]
