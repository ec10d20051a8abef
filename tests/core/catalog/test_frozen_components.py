"""Contracts only read: a frozen dataclass is a metric, and a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.config import ComponentConfig, TaskDefaults
from llmeval_core.contracts import Dataset, Metric
from llmeval_core.records import Aggregate, Generation, Sample, Score
from llmeval_core.statistics import mean_aggregate
from llmeval_core.testing import make_sample, run_in

LONGER = TaskDefaults(metrics=(ComponentConfig(use="longer"),))


@dataclass(frozen=True, slots=True)
class Longer:
    """1 if the answer is longer than `least`; mypy --strict has to accept it as it is."""

    least: int
    definition: str = "longer@1"
    higher_is_better: bool = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(float(len(generation.text) > self.least))

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


@dataclass(frozen=True, slots=True)
class Words:
    """A question for each word."""

    words: tuple[str, ...]
    name: str = "words"
    defaults: TaskDefaults = LONGER

    def samples(self) -> Iterable[Sample]:
        return [make_sample(id=word, input=word) for word in self.words]

    def few_shot_pool(self) -> Iterable[Sample]:
        return self.samples()

    def size(self) -> int:
        return len(self.words)

    def fingerprint(self) -> str:
        return "-".join(self.words)


class Computed:
    """Definition and direction as properties of a class fit as well."""

    @property
    def definition(self) -> str:
        return "computed@1"

    @property
    def higher_is_better(self) -> bool:
        return False

    def score(self, sample: Sample, generation: Generation) -> Score:
        return Score(1.0)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        return mean_aggregate(scores)


async def test_frozen_dataclasses_are_components(tmp_path: Path) -> None:
    """Of h3 and h4: Protocol members are read-only. That this file is typed is half of the test."""
    metric: Metric = Longer(least=2)
    other: Metric = Computed()
    dataset: Dataset = Words(("a", "abc"))

    outcome = await run_in(
        tmp_path, datasets={"words": dataset}, metrics={"longer": metric, "computed": other}
    )

    values = {found.metric: found.aggregate.value for found in outcome.summary.results[0].metrics}
    assert values == {"longer": 0.5, "computed": 1.0}
