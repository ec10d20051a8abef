"""A run with every name resolved: what the engine gets, and nothing is looked up after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval_core.config import (
    AnswerBy,
    BudgetConfig,
    Examples,
    ExtractConfig,
    FewShotConfig,
    LimitsConfig,
    PriceConfig,
    Redactor,
    RetryConfig,
    TimeoutConfig,
    TruncatedAnswers,
)
from llmeval_core.contracts import (
    AskingMetric,
    Dataset,
    Executor,
    Metric,
    ModelInfo,
    ModelProvider,
    Observer,
    Solver,
    Task,
    TaskGroup,
    Tool,
    Tracker,
)
from llmeval_core.naming import Json
from llmeval_core.reasoning import Tags
from llmeval_core.records import GenerationSettings, Mode


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric under the name that its keys will have, with its settings as written.

    Args:
        plugin: the distribution that it comes from, with its version, for messages.
        asked: the models that it asks, by role; empty if it only computes.
    """

    name: str
    metric: Metric | AskingMetric
    settings: Mapping[str, Json]
    plugin: str = "its plugin"
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def definition(self) -> str:
        """The id of what is computed, and by the judgement of which models.

        Such as `judge@correctness-1-0f3c2a91+judge=openai/gpt-4o`, in the order of the roles.
        """
        asked = [f"+{role}={model}" for role, model in sorted(self.asked.items())]
        return self.metric.definition + "".join(asked)


@dataclass(frozen=True, slots=True)
class PlannedSolver:
    """How samples are answered with more than one request.

    Args:
        name: as the run file names it.
        solver: the solver.
        tools: what it lets models call, by the names that these are told.
        settings: as written.
        plugin: the distribution that it comes from, for messages.
    """

    name: str
    solver: Solver
    tools: Mapping[str, Tool]
    settings: Mapping[str, Json]
    plugin: str = "its plugin"


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """How samples become requests, every default filled in; templates are Jinja2 text."""

    system: str | None
    preamble: str | None
    template: str
    answer: str
    continuation: str
    separator: str
    examples: Examples


@dataclass(frozen=True, slots=True)
class PlannedModel:
    """A model and where to get it.

    Args:
        settings: what people may read of its settings.
        limits: what its server allows.
        price: what its tokens cost; None if that is not known.
        reasoning_tags: as the run file says beside its name; None if it does not.
    """

    name: str
    provider: ModelProvider
    model: str
    info: ModelInfo
    settings: Mapping[str, Json]
    limits: LimitsConfig = field(default_factory=LimitsConfig)
    price: PriceConfig | None = None
    reasoning_tags: Tags | None = None


@dataclass(frozen=True, slots=True)
class PlannedRole:
    """A model that is asked beside the evaluated one, and how it generates."""

    model: PlannedModel
    generation: GenerationSettings


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """One model's task: a data set with a number of shots, asked and scored in one way.

    Args:
        key: `{dataset}_{n}shot`.
        dataset_name: the name in the key.
        dataset: where samples come from.
        dataset_fingerprint: content and settings of the data set.
        n_samples: how many samples there are, after the limit; None if unknown.
        n_total: samples in the data set, without the limit; None if unknown.
        limit: first n samples only; None for all.
        variant: the name of this way of asking and scoring, part of the key; None for the only
            one.
        mode: how the model is asked.
        answer_by: how the answer is given, never `auto`.
        fingerprint: everything that decides the numbers: the key of its results.
        cache_key: everything that decides the requests, whatever the limit and the metrics: the
            key of their answers. Tasks that share it share answers, which are then found by their
            places alone: whatever changes a request must change it.
        definition_fingerprint: everything that decides the numbers but the model: tasks of several
            models that share it have the same samples, prompts and scores of equal answers.
        settings: what people and trackers may read of all this.
        reasoning_tags: between which tags reasoning stands in a text; None for all that are known.
        truncated: whether answers that were cut off go into the aggregates.
        task: the ready-made task that this is; None for a data set with a prompt and metrics.
            `dataset`, `prompt` and what belongs to them then say nothing of how it is asked.
        solver: how samples are answered; None for one request each.
        roles: who is asked besides, and about how many requests a sample makes; of `model` what
            comes besides the first request.
    """

    key: str
    dataset_name: str
    dataset: Dataset
    dataset_fingerprint: str
    n_shots: int
    n_samples: int | None
    limit: int | None
    seed: int
    mode: Mode
    answer_by: AnswerBy
    prompt: PlannedPrompt
    few_shot: FewShotConfig
    generation: GenerationSettings
    extract: ExtractConfig | None
    metrics: tuple[PlannedMetric, ...]
    fingerprint: str
    cache_key: str
    definition_fingerprint: str
    settings: Mapping[str, Json]
    reasoning_tags: Tags | None = None
    truncated: TruncatedAnswers = "score"
    n_total: int | None = None
    variant: str | None = None
    task: Task | None = None
    solver: PlannedSolver | None = None
    roles: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether each sample is one request, and metrics only compute."""
        return self.task is None and self.solver is None and not self.roles


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """Tasks of one model that make a result together.

    Args:
        key: `{name}_{n}shot`.
        group: which metrics, and how they are put together.
        members: the keys of the tasks, by their names.
        fingerprint: everything that decides the numbers.
    """

    key: str
    group: TaskGroup
    n_shots: int
    variant: str | None
    members: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class PlannedTracker:
    """A tracker under its name in this run, and its settings as written."""

    name: str
    tracker: Tracker
    required: bool
    use: str
    settings: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class PlannedEvaluation:
    """All tasks of one model, and what some of them make together."""

    model: PlannedModel
    tasks: tuple[PlannedTask, ...]
    groups: tuple[PlannedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs.

    Args:
        evaluations: models with their tasks, in the order of the run file.
        trackers: result sinks.
        executor: where requests are answered; None for this process.
        observer: is told what happens.
        redactor: takes secrets out of any text that is stored or shown.
        concurrency: requests under way at once to one server; None to find it out, up to
            `max_concurrency`.
        budget: when to stop spending.
        max_samples_failed: failed samples that end a task; below 1 a part of its samples.
        fail_fast: whether the first failed sample ends the run.
        fingerprint: equal exactly if the same numbers are asked for.
        replace: whether results take the place of more complete ones.
        notes: what the user should know before the first request, a line each.
        roles: the models that are asked beside the evaluated ones, by role.
    """

    evaluations: tuple[PlannedEvaluation, ...]
    trackers: tuple[PlannedTracker, ...]
    executor: Executor | None
    observer: Observer
    redactor: Redactor
    seed: int
    concurrency: int | None
    max_concurrency: int
    budget: BudgetConfig
    max_samples_failed: float | None
    fail_fast: bool
    give_up_after: int
    retry: RetryConfig
    timeouts: TimeoutConfig
    fingerprint: str
    replace: bool = False
    notes: tuple[str, ...] = ()
    roles: Mapping[str, PlannedRole] = field(default_factory=dict)

    @property
    def models(self) -> list[PlannedModel]:
        """The models of the run, those with a role last; one may come twice."""
        return [
            *(evaluation.model for evaluation in self.evaluations),
            *(role.model for role in self.roles.values()),
        ]

    def describe(self) -> dict[str, Json]:
        """Return the plan as JSON, for `llmeval plan --json`, observers and trackers."""
        described: dict[str, Json] = {
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "concurrency": self.concurrency,
            "models": [
                {"name": item.model.name, "settings": dict(item.model.settings)}
                for item in self.evaluations
            ],
            "tasks": [
                {
                    "model": item.model.name,
                    "key": task.key,
                    "fingerprint": task.fingerprint,
                    "n_samples": task.n_samples,
                    "settings": dict(task.settings),
                }
                for item in self.evaluations
                for task in item.tasks
            ],
            "trackers": [tracker.name for tracker in self.trackers],
        }
        groups: list[Json] = [
            {"model": item.model.name, "key": group.key, "members": list(group.members.values())}
            for item in self.evaluations
            for group in item.groups
        ]
        if groups:
            described["groups"] = groups
        if self.roles:
            described["roles"] = {
                name: {"name": role.model.name, "settings": dict(role.model.settings)}
                for name, role in self.roles.items()
            }
        return described


def in_turn(model: PlannedModel, other: PlannedModel) -> bool:
    """Say whether two models can only be asked one after the other: both work in process."""
    return (
        model.info.endpoint is None
        and other.info.endpoint is None
        and (model.name, model.info.cache_key) != (other.name, other.info.cache_key)
    )


def is_asked_here(model: PlannedModel, *, has_executor: bool, has_roles: bool) -> bool:
    """Say whether a model is asked from the process of the run, and not by the executor.

    In a run with roles every model behind a server is: it needs no place of the executor, and who
    waits for its answers may hold the only one.
    """
    return not has_executor or (has_roles and model.info.endpoint is not None)
