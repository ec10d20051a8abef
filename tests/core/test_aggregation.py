"""Aggregation: the whole task first, then each category; failures are counted in each."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.aggregation import aggregate_task
from llmeval_core.contracts import Metric
from llmeval_core.errors import PluginError
from llmeval_core.journal import Journal
from llmeval_core.plan import PlannedMetric
from llmeval_core.records import Aggregate, Failure, MetricResult, SampleResult, Score
from llmeval_core.testing import FakeMetric, make_generation, make_request, make_sample
from llmeval_core.testing.running import plan_of

# index, category, value of the score (None: the sample failed)
SAMPLES = ((0, "b", 1.0), (1, "a", 0.0), (2, None, 1.0), (3, "a", None), (4, "c", None))


async def aggregated(home: Path, **metrics: Metric) -> tuple[MetricResult, ...]:
    task = plan_of().evaluations[0].tasks[0]
    planned = tuple(PlannedMetric(name, metric, {}) for name, metric in metrics.items())
    with Journal(home) as journal:
        stored = journal.begin_task("f", model="m", key="k", metrics=list(metrics))
        for index, category, value in reversed(SAMPLES):
            result = SampleResult(
                index=index,
                sample=make_sample(id=str(index), category=category),
                request=make_request(str(index)),
                generation=None if value is None else make_generation("x"),
                scores={} if value is None else {name: Score(value) for name in metrics},
                failure=Failure("timeout", "late") if value is None else None,
            )
            await journal.record(stored, result)
        await journal.flush()
        with journal.reader() as reader:
            return aggregate_task(reader, stored, replace(task, metrics=planned))


async def test_the_whole_task_comes_first_then_its_categories_by_name(tmp_path: Path) -> None:
    results = await aggregated(tmp_path, fake=FakeMetric())

    assert [(r.key, r.category, r.aggregate.value) for r in results] == [
        ("fake_0shot_fake", None, pytest.approx(2 / 3)),
        ("fake_0shot_fake/a", "a", 0.0),
        ("fake_0shot_fake/b", "b", 1.0),
        ("fake_0shot_fake/c", "c", None),
    ]


async def test_each_aggregate_says_how_many_were_scored_and_how_many_failed(
    tmp_path: Path,
) -> None:
    results = await aggregated(tmp_path, fake=FakeMetric())

    counts = [(r.aggregate.n_scored, r.aggregate.n_failed) for r in results]
    assert counts == [(3, 2), (1, 1), (1, 0), (0, 1)]


async def test_a_metric_gets_its_scores_in_sample_order(tmp_path: Path) -> None:
    class Ordered(FakeMetric):
        def aggregate(self, scores: Iterable[Score]) -> Aggregate:
            digits = "".join(str(int(score.value or 0)) for score in scores)
            return Aggregate(value=float(digits or 0))

    results = await aggregated(tmp_path, fake=Ordered())

    assert [r.aggregate.value for r in results] == [101.0, 0.0, 1.0, 0.0]


async def test_a_result_tells_what_was_computed_and_which_way_is_better(tmp_path: Path) -> None:
    class Errors(FakeMetric):
        higher_is_better = False

    results = await aggregated(tmp_path, one=FakeMetric("one@1"), two=Errors("errors@2"))

    whole = [(r.metric, r.definition, r.higher_is_better) for r in results if r.category is None]
    assert whole == [("one", "one@1", True), ("two", "errors@2", False)]


async def test_a_number_that_is_not_finite_is_unknown(tmp_path: Path) -> None:
    class Undefined(FakeMetric):
        def aggregate(self, scores: Iterable[Score]) -> Aggregate:
            return Aggregate(
                value=math.nan,
                stderr=math.inf,
                n_scored=len(list(scores)),
                interval=(math.nan, 1.0),
            )

    first, *_ = await aggregated(tmp_path, fake=Undefined())

    assert first.aggregate == Aggregate(value=None, n_scored=3, n_failed=2)


async def test_a_bug_in_an_aggregate_names_the_metric(tmp_path: Path) -> None:
    class Buggy(FakeMetric):
        def aggregate(self, scores: Iterable[Score]) -> Aggregate:
            raise IndexError("list index out of range")

    with pytest.raises(PluginError) as caught:
        await aggregated(tmp_path, fake=Buggy())

    assert str(caught.value) == (
        "metric 'fake' cannot aggregate its scores: IndexError: list index out of range\n"
        "  try:   this is a bug in the plugin; tell its author"
    )
