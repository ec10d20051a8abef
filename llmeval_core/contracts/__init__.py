"""What plugins supply: a data set, a model, a metric, a tracker, an executor, a check, a route.

All are Protocols: a class that has the methods fits, nothing need be inherited.
"""

from llmeval_core.contracts.attribution import AttributedDataset, Attribution, KnownModels
from llmeval_core.contracts.checks import Check, CheckOutcome, CheckState
from llmeval_core.contracts.datasets import Dataset
from llmeval_core.contracts.executors import (
    ExecutionRequest,
    Executor,
    ModelAvailability,
    RateLimiter,
    TimeLimit,
)
from llmeval_core.contracts.metrics import AnswerAwareMetric, Metric
from llmeval_core.contracts.models import Model, ModelFactory, ModelInfo, ModelProvider
from llmeval_core.contracts.observers import Observer
from llmeval_core.contracts.readiness import ModelCheck, Readiness, TrackerCheck
from llmeval_core.contracts.routes import Route, RouteContext
from llmeval_core.contracts.trackers import Receipt, RunInfo, Tracker

__all__ = [
    "AnswerAwareMetric",
    "AttributedDataset",
    "Attribution",
    "Check",
    "CheckOutcome",
    "CheckState",
    "Dataset",
    "ExecutionRequest",
    "Executor",
    "KnownModels",
    "Metric",
    "Model",
    "ModelAvailability",
    "ModelCheck",
    "ModelFactory",
    "ModelInfo",
    "ModelProvider",
    "Observer",
    "RateLimiter",
    "Readiness",
    "Receipt",
    "Route",
    "RouteContext",
    "RunInfo",
    "TimeLimit",
    "Tracker",
    "TrackerCheck",
]
