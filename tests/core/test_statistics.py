"""Mean and standard error, against numpy and the definition of lm-evaluation-harness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.records import Aggregate, Score
from llmeval_core.statistics import MEAN_STDERR, mean_aggregate, wilson_interval

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def scores(values: list[float]) -> Iterator[Score]:
    return (Score(value) for value in values)


@pytest.mark.parametrize(
    ("values", "mean", "stderr"),
    [
        # numpy 2.4.6: x.mean(), x.std(ddof=1) / sqrt(len(x))
        ([1.0, 0.0, 0.0, 1.0, 1.0], 0.6, 0.24494897427831783),
        ([0.1, 0.2, 0.3, 0.4], 0.25, 0.06454972243679027),
        ([0.5, 0.5, 0.5], 0.5, 0.0),
        ([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], 1000000010.0, 2.7386127875258306),
    ],
)
def test_it_is_what_numpy_says(values: list[float], mean: float, stderr: float) -> None:
    aggregate = mean_aggregate(scores(values))

    assert aggregate.value == pytest.approx(mean, rel=1e-12)
    assert aggregate.stderr == pytest.approx(stderr, rel=1e-9)
    assert (aggregate.n_scored, aggregate.stderr_method) == (len(values), MEAN_STDERR)


def test_many_blocks_are_put_together_as_one_whole() -> None:
    values = [1e6 + (index * 7919) % 10_007 / 10_007 for index in range(10_000)]

    aggregate = mean_aggregate(scores(values))

    assert aggregate.stderr == pytest.approx(stdev(values) / math.sqrt(10_000), rel=1e-9)


def test_large_numbers_have_a_standard_error() -> None:
    aggregate = mean_aggregate(scores([1e200, 1e200]))

    assert aggregate.stderr == 0.0


@given(st.lists(NUMBERS, min_size=2, max_size=50))
def test_it_is_what_lm_evaluation_harness_defines(values: list[float]) -> None:
    # lm_eval 0.4, api/metrics.py: mean, sample_stddev / sqrt(len)
    mean = sum(values) / len(values)
    stddev = math.sqrt(sum((x - mean) ** 2 for x in values) / (len(values) - 1))

    aggregate = mean_aggregate(scores(values))

    assert aggregate.value == pytest.approx(mean, rel=1e-9, abs=1e-6)
    assert aggregate.stderr == pytest.approx(stddev / math.sqrt(len(values)), rel=1e-6, abs=1e-5)


def test_one_value_has_no_standard_error() -> None:
    assert mean_aggregate(scores([0.5])) == Aggregate(value=0.5, n_scored=1)


def test_of_nothing_the_mean_is_unknown() -> None:
    assert mean_aggregate([]) == Aggregate(value=None)


def test_scores_without_a_value_do_not_count() -> None:
    aggregate = mean_aggregate([Score(1.0), Score(None), Score(0.0)])

    assert (aggregate.value, aggregate.n_scored) == (0.5, 2)


def test_half_of_right_answers_is_exactly_a_half_in_any_order() -> None:
    for n in (10, 1500, 99_998):
        values = [1.0] * (n // 2) + [0.0] * (n // 2)

        assert mean_aggregate(scores(values)).value == 0.5
        assert mean_aggregate(scores(values[::-1])).value == 0.5


@pytest.mark.parametrize(
    ("n_successes", "n", "low", "high"),
    [
        # statsmodels 0.15.0 `proportion_confint(count, nobs, method="wilson")`
        (7, 10, 0.39677814746114537, 0.8922087325936989),
        (0, 10, 0.0, 0.2775327998628892),
        (10, 10, 0.7224672001371107, 0.9999999999999999),
        (1, 1, 0.20654931437723745, 1.0),
        (0, 1, 0.0, 0.7934506856227626),
        (0, 30, 0.0, 0.11351339317396876),
        (29, 30, 0.8332960900859082, 0.9940914096183874),
        (97, 100, 0.9154806357094724, 0.9897454759759611),
    ],
)
def test_the_interval_of_a_proportion_is_wilsons(
    n_successes: int, n: int, low: float, high: float
) -> None:
    scores = [Score(1.0)] * n_successes + [Score(0.0)] * (n - n_successes)

    interval = mean_aggregate(scores).interval

    assert interval == pytest.approx((low, high), abs=1e-9)
    assert wilson_interval(n_successes, n) == interval


def test_scores_between_0_and_1_have_no_interval_of_a_proportion() -> None:
    assert mean_aggregate([Score(1.0), Score(0.5)]).interval is None


def test_counts_that_happen_to_be_0_and_1_are_no_proportion() -> None:
    counted = mean_aggregate(scores([1.0, 1.0, 0.0]), of_counts=True)

    assert counted.value == pytest.approx(2 / 3)
    assert counted.interval is None
    assert counted.stderr == mean_aggregate(scores([1.0, 1.0, 0.0])).stderr
