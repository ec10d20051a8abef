"""Everything a plugin author needs: the hooks, and the records and contracts they speak in.

A complete plugin is one module and one entry point. The module `shouting.py`:

    from llmeval_core.hooks import Aggregate, Component, Score, Settings, hookimpl, mean_aggregate

    class Shouting:
        definition = "shouting@1"
        higher_is_better = False

        def score(self, sample, generation):
            return Score(float(generation.text.isupper()))

        def aggregate(self, scores):
            return mean_aggregate(scores)

    @hookimpl
    def llmeval_register_metrics():
        yield Component("shouting", Settings, lambda settings: Shouting(), "answers in capitals")

The entry point, in its pyproject.toml:

    [project.entry-points.llmeval]
    shouting = "shouting"

Promises:

* Each registering hook is called once, at start-up; what it yields must be cheap to make.
  Heavy imports belong in a component's factory.
* The order of plugins means nothing. Two components of one kind with the same name are an
  error that names both distributions.
* A plugin that breaks stops only the runs that need it; `llmeval plugins` says why.
* Hooks are plain functions; `async def`, misspelt hook names and hooks without `@hookimpl` are
  refused.
* What a plugin prints goes to standard error, except from a command of its own.

Names by what they are for:

* every plugin: `hookimpl`, `Component`, `Settings`, `Json`, `LlmevalError`, `ConfigError`,
  `expand_path`, `file_problem`, `folder_problem`, `fingerprint`, `read_settings_file`,
  `strip_invisible`, `without_invisible`, `__version__`;
* data sets: `Dataset`, `AttributedDataset`, `Attribution`, `Sample`, `Message`, `Part`,
  `TextPart`, `ImagePart`, `DatasetError`, `TaskDefaults` and the groups in it, `PromptConfig`,
  `FewShotConfig`, `GenerationConfig`, `ExtractConfig`, `ExtractRule`, `AnswerBy`,
  `ComponentConfig`; `plain_text`;
* models: `ModelProvider`, `KnownModels`, `Model`, `ModelInfo`, `ModelCheck`, `Readiness`,
  `Request`, `Mode`, `GenerationSettings`, `Reasoning`, `Generation`, `Loglikelihood`,
  `StopReason`, `stop_reason`,
  `ToolSpec`, `ToolCall`, `chat_message`, `ModelError`, `FailureKind`;
* metrics: `Metric`, `AnswerAwareMetric`, `AskingMetric`, `MetricAsk`, `Score`, `Aggregate`,
  `mean_aggregate`, `boxed_texts`, `ReasoningFinder`, `ReasoningSplit`, `split_answers`,
  `reasoning_finder`;
* what asks as it likes: `Ask`, `Question`, `UnansweredError`, `MODEL`; tasks: `Task`, `Item`,
  `TaskGeneration`, `MetricInfo`, `TaskSource`, `TaskOptions`, `TaskSet`, `TaskGroup`,
  `GroupMetric`, `FoundTask`, `SearchableTasks`, `all_samples_alike`, `all_tasks_alike`;
  solvers and tools: `Solver`, `SolverInput`, `Tool`, `DataTool`, `ToolUser`;
* trackers: `Tracker`, `TrackerCheck`, `RunInfo`, `Receipt`, `TrackerError`, `TaskResult`,
  `RoleUsage`, `MetricResult`, `SampleResult`, `Turn`, `Failure`, `Outcome`, `OUTCOMES`, `Coverage`,
  `coverage_of`, `gives_way`, `without_less_complete`, `conditions`, `what_differs`,
  `conversation_text`;
* executors: `Executor`, `ExecutionRequest`, `ModelFactory`;
* routes, checks, observers: `Route`, `RouteContext`, `TrackerStatus`, `Check`, `CheckOutcome`,
  `RunSummary`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pluggy

from llmeval_core import __version__
from llmeval_core.completeness import Coverage, coverage_of, gives_way, without_less_complete
from llmeval_core.conditions import conditions, what_differs
from llmeval_core.config import (
    AnswerBy,
    ComponentConfig,
    ExtractConfig,
    ExtractRule,
    FewShotConfig,
    GenerationConfig,
    PromptConfig,
    Settings,
    TaskDefaults,
    read_settings_file,
)
from llmeval_core.contracts import (
    MODEL,
    AnswerAwareMetric,
    Ask,
    AskingMetric,
    AttributedDataset,
    Attribution,
    Check,
    CheckOutcome,
    Dataset,
    DataTool,
    ExecutionRequest,
    Executor,
    FoundTask,
    GroupMetric,
    Item,
    KnownModels,
    Metric,
    MetricAsk,
    MetricInfo,
    Model,
    ModelCheck,
    ModelFactory,
    ModelInfo,
    ModelProvider,
    Question,
    Readiness,
    Receipt,
    Route,
    RouteContext,
    RunInfo,
    SearchableTasks,
    Solver,
    SolverInput,
    Task,
    TaskGeneration,
    TaskGroup,
    TaskOptions,
    TaskSet,
    TaskSource,
    Tool,
    ToolUser,
    Tracker,
    TrackerCheck,
    UnansweredError,
    all_samples_alike,
    all_tasks_alike,
)
from llmeval_core.errors import (
    ConfigError,
    DatasetError,
    FailureKind,
    LlmevalError,
    ModelError,
    TrackerError,
)
from llmeval_core.extraction import boxed_texts
from llmeval_core.invisible_characters import strip_invisible, without_invisible
from llmeval_core.naming import Json, fingerprint
from llmeval_core.paths import expand_path, file_problem, folder_problem
from llmeval_core.reasoning import (
    ReasoningFinder,
    ReasoningSplit,
    conversation_text,
    reasoning_finder,
    split_answers,
)
from llmeval_core.records import (
    OUTCOMES,
    Aggregate,
    Failure,
    Generation,
    GenerationSettings,
    ImagePart,
    Loglikelihood,
    Message,
    MetricResult,
    Mode,
    Outcome,
    Part,
    Reasoning,
    Request,
    RoleUsage,
    RunSummary,
    Sample,
    SampleResult,
    Score,
    StopReason,
    TaskResult,
    TextPart,
    ToolCall,
    ToolSpec,
    TrackerStatus,
    Turn,
    chat_message,
    plain_text,
    stop_reason,
)
from llmeval_core.statistics import mean_aggregate

if TYPE_CHECKING:
    import click

__all__ = [
    "ENTRY_POINT_GROUP", "MODEL", "OUTCOMES", "Aggregate", "AnswerAwareMetric", "AnswerBy", "Ask",
    "AskingMetric", "AttributedDataset", "Attribution", "Check", "CheckOutcome", "Component",
    "ComponentConfig", "ConfigError", "Coverage", "DataTool", "Dataset", "DatasetError",
    "ExecutionRequest", "Executor", "ExtractConfig", "ExtractRule", "Failure", "FailureKind",
    "FewShotConfig", "FoundTask", "Generation", "GenerationConfig", "GenerationSettings",
    "GroupMetric", "ImagePart", "Item", "Json", "KnownModels", "LlmevalError", "Loglikelihood",
    "Message", "Metric", "MetricAsk", "MetricInfo", "MetricResult", "Mode", "Model", "ModelCheck",
    "ModelError", "ModelFactory", "ModelInfo", "ModelProvider", "Outcome", "Part", "PromptConfig",
    "Question", "Readiness", "Reasoning", "ReasoningFinder", "ReasoningSplit", "Receipt",
    "Request", "RoleUsage", "Route", "RouteContext", "RunInfo", "RunSummary", "Sample",
    "SampleResult", "Score", "SearchableTasks", "Settings", "Solver", "SolverInput", "StopReason",
    "Task", "TaskDefaults", "TaskGeneration", "TaskGroup", "TaskOptions", "TaskResult", "TaskSet",
    "TaskSource", "TextPart", "Tool", "ToolCall", "ToolSpec", "ToolUser", "Tracker",
    "TrackerCheck", "TrackerError", "TrackerStatus", "Turn", "UnansweredError", "__version__",
    "all_samples_alike", "all_tasks_alike", "boxed_texts", "chat_message", "conditions",
    "conversation_text", "coverage_of", "expand_path", "file_problem", "fingerprint",
    "folder_problem", "gives_way", "hookimpl", "hookspec", "mean_aggregate", "plain_text",
    "read_settings_file", "reasoning_finder", "split_answers", "stop_reason", "strip_invisible",
    "what_differs", "without_invisible", "without_less_complete",
]  # fmt: skip

ENTRY_POINT_GROUP = "llmeval"
"""The entry-point group: each entry point names a module (or object) with hooks."""

hookspec = pluggy.HookspecMarker("llmeval")
hookimpl = pluggy.HookimplMarker("llmeval")

ConfigT = TypeVar("ConfigT", bound=Settings)
ComponentT_co = TypeVar("ComponentT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Component(Generic[ConfigT, ComponentT_co]):
    """One component that a plugin offers.

    Args:
        name: what users write; no space, slash or colon.
        config: the settings it takes, a subclass of `Settings`.
        factory: makes the component from its settings; imports what is heavy.
        summary: one line for lists.
        argument: the setting that `name:ARGUMENT` fills; None if there is none.
        example: a few lines of YAML for `llmeval <kind> NAME`.
        suffixes: for a data set that reads files: how their names end, such as `.jsonl`. With
            `-d my.jsonl` on the command line, `argument` gets such a path.
    """

    name: str
    config: type[ConfigT]
    factory: Callable[[ConfigT], ComponentT_co]
    summary: str
    argument: str | None = None
    example: str = ""
    suffixes: tuple[str, ...] = ()


@hookspec
def llmeval_register_datasets() -> Iterable[Component[Any, Dataset]]:  # type: ignore[empty-body]
    """Offer data sets.

    >>> @hookimpl
    ... def llmeval_register_datasets():
    ...     yield Component("capitals", Settings, lambda _: Capitals(), "capitals of the world")
    """


@hookspec
def llmeval_register_models() -> Iterable[Component[Any, ModelProvider]]:  # type: ignore[empty-body]
    """Offer model providers; the component's name is the provider in `provider/model`.

    >>> @hookimpl
    ... def llmeval_register_models():
    ...     yield Component("parrot", Settings, lambda settings: Parrot(), "repeats the question")
    """


@hookspec
def llmeval_register_metrics() -> Iterable[Component[Any, Metric | AskingMetric]]:  # type: ignore[empty-body]
    """Offer metrics.

    >>> @hookimpl
    ... def llmeval_register_metrics():
    ...     yield Component("shouting", Settings, lambda _: Shouting(), "answers in capitals")
    """


@hookspec
def llmeval_register_tasks() -> Iterable[Component[Any, Task | TaskSource]]:  # type: ignore[empty-body]
    """Offer tasks that ask and score as they like.

    >>> class Repeating:
    ...     name, n_shots, modes, roles = "repeating", 0, frozenset({"chat"}), {}
    ...     metrics = {"same": MetricInfo("same@1", True, mean_aggregate)}
    ...     def fingerprint(self):
    ...         return "2 words, version 1"
    ...     def size(self):
    ...         return 2
    ...     def items(self):
    ...         for word in ("red", "blue"):
    ...             asked = Question((Message("user", f"Say {word}, nothing else."),))
    ...             yield Item(Sample(word, word, (word,)), (asked,))
    ...     async def answer(self, item, ask):
    ...         return [await ask(question) for question in item.questions]
    ...     def score(self, item, answers, ask):
    ...         said = ask.without_reasoning(answers[-1])
    ...         return {"same": Score(float(said == item.sample.id))}
    >>> @hookimpl
    ... def llmeval_register_tasks():
    ...     yield Component("repeating", Settings, lambda settings: Repeating(), "says a word")
    """


@hookspec
def llmeval_register_solvers() -> Iterable[Component[Any, Solver]]:  # type: ignore[empty-body]
    """Offer solvers: ways to answer a sample with more than one request.

    >>> @hookimpl
    ... def llmeval_register_solvers():
    ...     yield Component("ask_twice", Settings, lambda _: AskTwice(), "asks whether it is sure")
    """


@hookspec
def llmeval_register_tools() -> Iterable[Component[Any, Tool]]:  # type: ignore[empty-body]
    """Offer tools that models may call while they answer.

    >>> @hookimpl
    ... def llmeval_register_tools():
    ...     yield Component("adding", Settings, lambda settings: Adding(), "adds two numbers")
    """


@hookspec
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:  # type: ignore[empty-body]
    """Offer trackers.

    >>> @hookimpl
    ... def llmeval_register_trackers():
    ...     yield Component("postcard", Settings, lambda settings: Postcard(), "sends a postcard")
    """


@hookspec
def llmeval_register_executors() -> Iterable[Component[Any, Executor]]:  # type: ignore[empty-body]
    """Offer executors: other places where requests are answered.

    >>> @hookimpl
    ... def llmeval_register_executors():
    ...     yield Component("farm", Settings, lambda settings: Farm(), "asks on many machines")
    """


@hookspec
def llmeval_register_commands() -> Iterable[click.Command]:  # type: ignore[empty-body]
    """Offer commands for the `llmeval` command line.

    >>> @hookimpl
    ... def llmeval_register_commands():
    ...     yield click.Command("hello", callback=lambda: click.echo("hello"))
    """


@hookspec
def llmeval_register_routes() -> Iterable[Route]:  # type: ignore[empty-body]
    """Offer ASGI applications for the server; each gets the `RouteContext` that mounts it.

    >>> @hookimpl
    ... def llmeval_register_routes():
    ...     yield Route("/hello", lambda site: hello, "says hello")
    """


@hookspec
def llmeval_register_checks() -> Iterable[Check]:  # type: ignore[empty-body]
    """Offer lines for `llmeval doctor`; each gets the project's folder.

    >>> @hookimpl
    ... def llmeval_register_checks():
    ...     yield Check("disk", lambda home: CheckOutcome("ok", "plenty of room"))
    """


@hookspec
def llmeval_before_run(plan: Mapping[str, Json]) -> None:
    """Observe that a run begins; `plan` is what `llmeval plan --json` prints.

    >>> @hookimpl
    ... def llmeval_before_run(plan):
    ...     print(plan["fingerprint"])
    """


@hookspec
def llmeval_after_task(result: TaskResult) -> None:
    """Observe a finished task, after it is durable.

    >>> @hookimpl
    ... def llmeval_after_task(result):
    ...     print(result.model, result.task)
    """


@hookspec
def llmeval_after_run(summary: RunSummary) -> None:
    """Observe that a run is over, also after an interruption.

    >>> @hookimpl
    ... def llmeval_after_run(summary):
    ...     print(summary.n_failed)
    """
