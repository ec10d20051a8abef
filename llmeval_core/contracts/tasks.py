"""A task of any shape: what is asked, in as many requests as it takes, and how it is scored.

The engine asks, keeps and delivers; a task only says what. A data set with a prompt and metrics
needs none of this: see `Dataset`, `Metric` and `Solver`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from llmeval_core.config import GenerationConfig
from llmeval_core.contracts.asking import Ask, Question
from llmeval_core.naming import Json
from llmeval_core.records import Aggregate, Failure, Generation, Mode, Sample, Score


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to answer and to score.

    Args:
        sample: what people see of it; its id is unique within the task.
        questions: what is asked first; `llmeval plan` counts and shows it. May be empty.
        payload: whatever the task needs to answer and to score it; the engine does not look at it.
    """

    sample: Sample
    questions: tuple[Question, ...] = ()
    payload: object = None


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """One number of a task.

    Args:
        definition: the id of what is computed, as of a `Metric`.
        higher_is_better: which way is better.
        aggregate: makes one number of the scores of all samples, in their order; called in a
            thread, for the whole task and for each category.
    """

    definition: str
    higher_is_better: bool
    aggregate: Callable[[Iterable[Score]], Aggregate]


@runtime_checkable
class Task(Protocol):
    """What is asked and how it is scored.

    It must do the same again if it gets the same answers, without a clock and with seeded chance:
    an item that was interrupted runs again from its beginning, and finds its answers. All methods
    but `items` are called from the event loop, for many items at once.
    """

    @property
    def name(self) -> str:
        """What its keys begin with: `{name}_{n_shots}shot`; no space, slash or colon."""

    @property
    def n_shots(self) -> int:
        """How many examples its prompts show."""

    @property
    def modes(self) -> frozenset[Mode]:
        """The ways in which it asks; a model that cannot be asked so is refused by the plan."""

    @property
    def metrics(self) -> Mapping[str, MetricInfo]:
        """Its numbers by name, in the order in which they are shown."""

    @property
    def roles(self) -> Mapping[str, int]:
        """The roles that it asks besides `model`, and about how many requests an item makes.

        Such as `{"judge": 1}`; of `model` only what comes besides the questions of an item.
        """

    def fingerprint(self) -> str:
        """Return a digest of all that decides its questions and its scores; cheap."""

    def size(self) -> int | None:
        """Count the items cheaply; None if that would mean making them.

        Asked again when the task has run, for a result of a part to say of how many it is.
        """

    def items(self) -> Iterable[Item]:
        """Stream all items in a stable order, in a thread; also if most are finished already.

        Raises:
            DatasetError: the data cannot be read.
        """

    async def answer(self, item: Item, ask: Ask) -> Sequence[Generation]:
        """Answer one item.

        Mostly `[await ask(question) for question in item.questions]`, or all at once with
        `asyncio.gather`; what is asked next may depend on the answers.

        Returns:
            What `score` judges; the last one is shown as the answer.
        """

    def score(
        self, item: Item, answers: Sequence[Generation], ask: Ask
    ) -> Mapping[str, Score | Failure] | Awaitable[Mapping[str, Score | Failure]]:
        """Score one item by every metric; may be `async def`.

        A metric that cannot score it has `Failure("metric", "the reason")` for a score; the scores
        of the others are kept, and the next run scores the item again.

        Raises:
            ValueError: no metric can score it; the message is the reason.
        """


@runtime_checkable
class TaskGeneration(Protocol):
    """A task that says how its answers are generated; an optional part of a `Task`."""

    @property
    def generation(self) -> GenerationConfig:
        """How answers are generated where the run file does not say, as of a data set's defaults.

        It is for questions without `settings`; what users set of the run, the model or the task is
        laid over it.
        """


def all_samples_alike(aggregates: Sequence[Aggregate]) -> Aggregate:
    """Average tasks by their numbers of samples: as the mean over all samples of all tasks.

    The standard error takes the tasks' own for independent.
    """
    known = [one for one in aggregates if one.value is not None and one.n_scored]
    return _weighted(known, [float(one.n_scored) for one in known])


def all_tasks_alike(aggregates: Sequence[Aggregate]) -> Aggregate:
    """Average tasks, each as much as any other, however many samples it has.

    The standard error takes the tasks' own for independent.
    """
    known = [one for one in aggregates if one.value is not None]
    return _weighted(known, [1.0] * len(known))


def _weighted(aggregates: list[Aggregate], weights: list[float]) -> Aggregate:
    total = sum(weights)
    if not total:
        return Aggregate(value=None)
    both = list(zip(aggregates, weights, strict=True))
    errors = [one.stderr for one in aggregates]
    stderr = None
    if None not in errors:
        stderr = sum((w * (one.stderr or 0.0)) ** 2 for one, w in both) ** 0.5 / total
    return Aggregate(
        value=sum(w * (one.value or 0.0) for one, w in both) / total,
        stderr=stderr,
        stderr_method=None if stderr is None else "of a weighted mean of independent tasks",
        n_scored=sum(one.n_scored for one in aggregates),
        n_excluded=sum(one.n_excluded for one in aggregates),
    )


@dataclass(frozen=True, slots=True)
class GroupMetric:
    """One number of a group.

    Args:
        members: the tasks whose numbers it is made of; each has the metric.
        aggregate: makes one number of those of the members, in their order; `n_failed` is filled
            in by the engine.
        definition: the id of how that is done.
    """

    members: tuple[str, ...]
    aggregate: Callable[[Sequence[Aggregate]], Aggregate] = all_samples_alike
    definition: str = "all-samples-alike@1"


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks that make one result together, such as the subjects of MMLU.

    Args:
        name: what its key begins with, as of a task; it has the members' number of examples.
        metrics: its numbers by name; they may be of different members.
    """

    name: str
    metrics: Mapping[str, GroupMetric]

    @property
    def members(self) -> tuple[str, ...]:
        """The names of all tasks that it is made of."""
        return tuple(
            dict.fromkeys(name for metric in self.metrics.values() for name in metric.members)
        )


@dataclass(frozen=True, slots=True)
class TaskSet:
    """What one entry of the run file stands for: tasks, and groups of them."""

    tasks: tuple[Task, ...]
    groups: tuple[TaskGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What the run file says of the tasks of one entry, for who makes them.

    Args:
        n_shots: how many examples; None for the tasks' own number.
        limit: only the first n items will be read; None for all.
        generation: what is laid over the tasks' own settings, by the names of
            `GenerationSettings`, as far as it is set: the run's, then the model's, then the
            task's.
        seed: decides every random choice.
    """

    n_shots: int | None = None
    limit: int | None = None
    generation: Mapping[str, Json] = field(default_factory=dict)
    seed: int = 0


@runtime_checkable
class TaskSource(Protocol):
    """Where ready-made tasks come from, if one name stands for several or needs the options."""

    def load(self, options: TaskOptions) -> TaskSet:
        """Make the tasks; cheap: no data is read that planning does not need.

        Called once for each number of examples that the run file names, in a plan, and once more
        for each model that has generation settings of its own.

        Raises:
            ConfigError: there is no such task, or it cannot be asked so.
        """


@dataclass(frozen=True, slots=True)
class FoundTask:
    """What a search of ready-made tasks found.

    Args:
        name: what is written after the source's name and a colon.
        about: what it is, one line: `group, 57 tasks`.
    """

    name: str
    about: str


@runtime_checkable
class SearchableTasks(Protocol):
    """A source of so many tasks that they are searched; an optional part of a `TaskSource`."""

    def search(self, text: str) -> Iterable[FoundTask]:
        """Find the tasks that have all words of a text, in any case, the best first.

        Called by `llmeval tasks NAME --search TEXT`, of a source that was made with the text as its
        argument, if it takes one. Of an empty text all are found.
        """
