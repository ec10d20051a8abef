"""The records that walk through the pipeline, from a sample to a task's result."""

from llmeval_core.records.generations import (
    Generation,
    GenerationSettings,
    Loglikelihood,
    Mode,
    Reasoning,
    Request,
)
from llmeval_core.records.messages import (
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolCall,
    ToolSpec,
    chat_message,
)
from llmeval_core.records.outcomes import OUTCOMES, Outcome, StopReason, stop_reason
from llmeval_core.records.results import (
    Aggregate,
    MetricResult,
    RoleUsage,
    RunSummary,
    TaskResult,
    TrackerStatus,
)
from llmeval_core.records.sample_check import sample_problem
from llmeval_core.records.samples import Failure, Sample, SampleResult, Score, Turn
from llmeval_core.records.value_text import plain_text

__all__ = [
    "OUTCOMES",
    "Aggregate",
    "Failure",
    "Generation",
    "GenerationSettings",
    "ImagePart",
    "Loglikelihood",
    "Message",
    "MetricResult",
    "Mode",
    "Outcome",
    "Part",
    "Reasoning",
    "Request",
    "RoleUsage",
    "RunSummary",
    "Sample",
    "SampleResult",
    "Score",
    "StopReason",
    "TaskResult",
    "TextPart",
    "ToolCall",
    "ToolSpec",
    "TrackerStatus",
    "Turn",
    "chat_message",
    "plain_text",
    "sample_problem",
    "stop_reason",
]
