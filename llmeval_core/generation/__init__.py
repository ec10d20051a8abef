"""From a request to a generation: sent when the rate limiter allows, tried again, or failed."""

from llmeval_core.generation.availability import ObservedAvailability
from llmeval_core.generation.generation_check import check_generation
from llmeval_core.generation.local_executor import LocalExecutor
from llmeval_core.generation.request_runner import RequestRunner
from llmeval_core.generation.retrying import FATAL, TRANSIENT, backoff_s

__all__ = [
    "FATAL",
    "TRANSIENT",
    "LocalExecutor",
    "ObservedAvailability",
    "RequestRunner",
    "backoff_s",
    "check_generation",
]
