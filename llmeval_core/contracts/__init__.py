"""What plugins supply: data sets, tasks, models, metrics, solvers, tools, trackers, executors, ...

All are Protocols: a class that has the methods fits, nothing need be inherited.
"""

from llmeval_core.contracts.asking import MODEL, Ask, MetricAsk, Question, UnansweredError
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
from llmeval_core.contracts.metrics import AnswerAwareMetric, AskingMetric, Metric
from llmeval_core.contracts.models import Model, ModelFactory, ModelInfo, ModelProvider
from llmeval_core.contracts.observers import Observer
from llmeval_core.contracts.readiness import ModelCheck, Readiness, TrackerCheck
from llmeval_core.contracts.routes import Route, RouteContext
from llmeval_core.contracts.solvers import DataTool, Solver, SolverInput, Tool, ToolUser
from llmeval_core.contracts.tasks import (
    FoundTask,
    GroupMetric,
    Item,
    MetricInfo,
    SearchableTasks,
    Task,
    TaskGeneration,
    TaskGroup,
    TaskOptions,
    TaskSet,
    TaskSource,
    all_samples_alike,
    all_tasks_alike,
)
from llmeval_core.contracts.trackers import Receipt, RunInfo, Tracker

__all__ = [
    "MODEL",
    "AnswerAwareMetric",
    "Ask",
    "AskingMetric",
    "AttributedDataset",
    "Attribution",
    "Check",
    "CheckOutcome",
    "CheckState",
    "DataTool",
    "Dataset",
    "ExecutionRequest",
    "Executor",
    "FoundTask",
    "GroupMetric",
    "Item",
    "KnownModels",
    "Metric",
    "MetricAsk",
    "MetricInfo",
    "Model",
    "ModelAvailability",
    "ModelCheck",
    "ModelFactory",
    "ModelInfo",
    "ModelProvider",
    "Observer",
    "Question",
    "RateLimiter",
    "Readiness",
    "Receipt",
    "Route",
    "RouteContext",
    "RunInfo",
    "SearchableTasks",
    "Solver",
    "SolverInput",
    "Task",
    "TaskGeneration",
    "TaskGroup",
    "TaskOptions",
    "TaskSet",
    "TaskSource",
    "TimeLimit",
    "Tool",
    "ToolUser",
    "Tracker",
    "TrackerCheck",
    "UnansweredError",
    "all_samples_alike",
    "all_tasks_alike",
]
