"""Scoring: what metrics see of an answer, and what becomes of a metric that fails."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from llmeval_core.config import ExtractConfig, ExtractRule
from llmeval_core.contracts import Metric
from llmeval_core.errors import ConfigError, PluginError
from llmeval_core.plan import PlannedMetric
from llmeval_core.records import Failure, Generation, Sample, Score
from llmeval_core.scoring import Scorer
from llmeval_core.testing import FakeMetric, make_generation, make_sample
from llmeval_core.testing.running import plan_of


class Seeing(FakeMetric):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, ...]] = []

    def score(self, sample: Sample, generation: Generation) -> Score:
        self.seen.append(generation.texts)
        return Score(1.0)


class Failing(FakeMetric):
    """Raises, or returns what it should not; Any: whatever."""

    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self._outcome = outcome

    def score(self, sample: Sample, generation: Generation) -> Score:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        found: Score = self._outcome
        return found


def scorer(*metrics: Metric, extract: ExtractConfig | None = None) -> Scorer:
    task = plan_of().evaluations[0].tasks[0]
    planned = tuple(PlannedMetric(f"m{n}", metric, {}) for n, metric in enumerate(metrics))
    return Scorer(replace(task, metrics=planned, extract=extract))


@pytest.mark.parametrize(
    ("extract", "texts", "seen"),
    [
        (None, ("Paris",), ("Paris",)),
        (None, ("<think>Rome? No.</think>\n\nParis",), ("Paris",)),
        (None, (" \n<think>\na\nb\n</think>Paris",), ("Paris",)),
        (None, ("Paris <think>no</think>",), ("Paris <think>no</think>",)),
        (None, ("<think>never ended",), ("<think>never ended",)),
        (None, ("<think>x</think>A", "B"), ("A", "B")),
        (r"Answer: (\w+)", ("I think. Answer: Paris.",), ("Paris",)),
        (r"\d+", ("about 42 or 43",), ("42",)),
        (r"Answer: (\w+)", ("no idea",), ("",)),
        (r"(a)|b", ("b",), ("",)),
        (r"x", ("<think>x</think>y",), ("",)),
        (r"(-?[$0-9.,]{2,})|(-?[0-9]+)", ("It is 42", "It is 5"), ("42", "5")),
        (("#### (.*)", ExtractRule(boxed=True)), (r"\boxed{5}",), ("5",)),
    ],
)
async def test_metrics_see_the_answer_without_reasoning_and_only_what_is_extracted(
    extract: ExtractConfig | None, texts: tuple[str, ...], seen: tuple[str, ...]
) -> None:
    metric = Seeing()

    await scorer(metric, extract=extract).score(make_sample(), make_generation(*texts))

    assert metric.seen == [seen]


def test_an_extract_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        scorer(FakeMetric(), extract="(")

    assert str(caught.value) == (
        "extract is not a regular expression: missing ), unterminated subpattern at position 0\n"
        "  where: fake_0shot: extract"
    )


async def test_every_metric_has_its_score_under_its_name() -> None:
    scores = await scorer(FakeMetric(), Failing(Score(None, parts=(1.0, 2.0)))).score(
        make_sample(), make_generation("Paris")
    )

    assert scores == {"m0": Score(1.0, "Paris"), "m1": Score(None, None, (1.0, 2.0))}


async def test_an_async_metric_is_awaited() -> None:
    class Judge(FakeMetric):
        async def score(  # type: ignore[override]  # the contract allows both
            self, sample: Sample, generation: Generation
        ) -> Score:
            await asyncio.sleep(0)
            return Score(0.25)

    scores = await scorer(Judge()).score(make_sample(), make_generation("Paris"))

    assert scores == {"m0": Score(0.25)}


async def test_a_sample_that_cannot_be_scored_is_a_failure_with_the_metrics_name() -> None:
    outcome = await scorer(FakeMetric(), Failing(ValueError("it has no reference"))).score(
        make_sample(), make_generation("Paris")
    )

    assert outcome == Failure("metric", "m1: it has no reference")


@pytest.mark.parametrize(
    "score",
    [
        Score(math.nan),
        Score(math.inf),
        Score(1.0, parts=(math.nan,)),
        Score(None, None, (-math.inf,)),
    ],
)
async def test_a_number_that_is_not_finite_is_a_failure(score: Score) -> None:
    outcome = await scorer(Failing(score)).score(make_sample(), make_generation("Paris"))

    assert outcome == Failure("metric", "m0: the score is not a finite number")


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (TypeError("unsupported operand"), "TypeError: unsupported operand"),
        (KeyError("a"), "KeyError: 'a'"),
        (0.5, "TypeError: score() gave a float, not a Score"),
        (None, "TypeError: score() gave a NoneType, not a Score"),
    ],
)
async def test_a_bug_in_a_metric_names_the_metric_and_the_sample(
    outcome: object, reason: str
) -> None:
    with pytest.raises(PluginError) as caught:
        await scorer(Failing(outcome)).score(make_sample(), make_generation("Paris"))

    assert str(caught.value) == (
        f"metric 'm0' failed on sample 's1': {reason}\n"
        "  try:   this is a bug in the plugin; tell its author"
    )


async def test_our_own_errors_of_a_metric_pass_as_they_are() -> None:
    ours = ConfigError("the judge has no key")

    with pytest.raises(ConfigError) as caught:
        await scorer(Failing(ours)).score(make_sample(), make_generation("Paris"))

    assert caught.value is ours
