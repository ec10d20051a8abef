"""A ready-made task seen as a data set with metrics, as the rest of the plan knows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmeval_core.config import TaskDefaults
from llmeval_core.contracts import MetricInfo, Task
from llmeval_core.records import Aggregate, Generation, Sample, Score


@dataclass(frozen=True, slots=True)
class TaskItems:
    """The items of a task, seen as a data set."""

    task: Task

    @property
    def name(self) -> str:
        """What the task's keys begin with."""
        return self.task.name

    @property
    def defaults(self) -> TaskDefaults:
        """None: the task brings its own."""
        return TaskDefaults()

    def samples(self) -> Iterator[Sample]:
        """Stream the samples of the items."""
        return (item.sample for item in self.task.items())

    def few_shot_pool(self) -> Iterator[Sample]:
        """Give nothing: the task makes its own prompts."""
        return iter(())

    def size(self) -> int | None:
        """Count the items."""
        return self.task.size()

    def fingerprint(self) -> str:
        """Return the task's own."""
        return self.task.fingerprint()


@dataclass(frozen=True, slots=True)
class TaskMetric:
    """A number of a ready-made task, seen as a metric: the task scores, this only aggregates."""

    info: MetricInfo

    @property
    def definition(self) -> str:
        """The id of what is computed."""
        return self.info.definition

    @property
    def higher_is_better(self) -> bool:
        """Which way is better."""
        return self.info.higher_is_better

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Refuse: only the task can score its items."""
        raise AssertionError("a ready-made task scores its items itself")

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Make one number of many."""
        return self.info.aggregate(scores)
