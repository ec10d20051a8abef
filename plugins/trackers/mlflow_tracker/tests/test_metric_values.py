"""Which scores become metrics, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest
from llmeval_mlflow_tracker.metric_values import (
    MetricValue,
    MetricValues,
    StderrPlace,
    metric_values_of,
)
from llmeval_mlflow_tracker.outcome_metrics import OutcomeMetrics

from llmeval_core.hooks import Aggregate, MetricResult, Outcome, TaskResult
from llmeval_core.testing import make_task_result


def result_with(*metrics: tuple[str, Any, float | None]) -> TaskResult:
    """Make a result of (key, value, standard error); a `/` begins a category.

    Any: a careless plugin may put anything there.
    """
    made = tuple(
        MetricResult(
            key=key,
            metric=key,
            definition="d@1",
            higher_is_better=True,
            category=key.partition("/")[2] or None,
            aggregate=Aggregate.model_construct(value=value, stderr=stderr),
        )
        for key, value, stderr in metrics
    )
    return make_task_result().model_copy(update={"metrics": made})


TWO = (("a/x", 0.1, None), ("a", 0.5, 0.01), ("b", 0.7, None))


def test_every_number_is_a_metric_and_so_is_its_standard_error() -> None:
    scores = metric_values_of(result_with(*TWO), stderr="metric")

    assert scores == MetricValues({"a": 0.5, "a_stderr": 0.01, "b": 0.7, "a/x": 0.1}, {}, {}, {})


@pytest.mark.parametrize(
    ("stderr", "table_only"), [("table", {"a": MetricValue(None, 0.01)}), ("none", {})]
)
def test_standard_errors_can_stay_out_of_the_metrics(
    stderr: StderrPlace, table_only: dict[str, MetricValue]
) -> None:
    scores = metric_values_of(result_with(*TWO), stderr=stderr)

    assert scores.metrics == {"a": 0.5, "b": 0.7, "a/x": 0.1}
    assert scores.table_only == table_only


def test_a_budget_keeps_whole_tasks_first_and_what_the_run_has() -> None:
    scores = metric_values_of(result_with(*TWO), stderr="metric", known=["a/x", "z"], max_metrics=4)

    assert scores.metrics == {"a": 0.5, "a_stderr": 0.01, "a/x": 0.1}
    assert scores.table_only == {"b": MetricValue(0.7, None)}


def test_a_budget_that_is_one_short_leaves_out_the_standard_error() -> None:
    scores = metric_values_of(result_with(*TWO), stderr="metric", max_metrics=1)

    assert scores.metrics == {"a": 0.5}
    assert scores.table_only == {
        "a": MetricValue(None, 0.01),
        "b": MetricValue(0.7, None),
        "a/x": MetricValue(0.1, None),
    }


def test_what_is_no_number_is_told_and_takes_nothing_with_it() -> None:
    scores = metric_values_of(
        result_with(
            ("a", "abc", 0.1), ("b", float("nan"), None), ("c", None, None), ("d", "85.3%", 0)
        ),
        stderr="metric",
    )

    assert scores.metrics == {"d": 0.853, "d_stderr": 0.0}
    assert scores.not_numbers == {"a": "abc", "b": "nan", "c": "none"}


def test_a_metric_whose_key_is_anothers_standard_error_keeps_it() -> None:
    scores = metric_values_of(
        result_with(("a", 0.5, 0.01), ("a_stderr", 0.9, None)), stderr="metric"
    )

    assert scores.metrics == {"a": 0.5, "a_stderr": 0.9}


ENDED: dict[Outcome, int] = {"answered": 6, "truncated": 3, "empty": 1}


@pytest.mark.parametrize(
    ("outcomes", "metrics"),
    [
        ("none", {}),
        ("unanswered", {"aio_0shot_n": 10, "aio_0shot_unanswered": 0.4}),
        (
            "all",
            {
                "aio_0shot_n": 10,
                "aio_0shot_unanswered": 0.4,
                "aio_0shot_truncated": 0.3,
                "aio_0shot_empty": 0.1,
                "aio_0shot_refused": 0,
                "aio_0shot_filtered": 0,
                "aio_0shot_unscored": 0,
                "aio_0shot_failed": 0,
            },
        ),
    ],
)
def test_the_share_of_what_was_not_answered_is_a_metric_by_setting(
    outcomes: OutcomeMetrics, metrics: dict[str, float]
) -> None:
    result = result_with(("a", 0.5, None)).model_copy(
        update={"task": "aio_0shot", "n_samples": 10, "outcomes": ENDED}
    )

    scores = metric_values_of(result, stderr="metric", outcomes=outcomes)

    assert scores.metrics == pytest.approx({"a": 0.5, **metrics})


def test_a_metric_of_the_users_own_goes_before_a_share_of_its_name() -> None:
    result = result_with(("aio_0shot_truncated", 7.0, None)).model_copy(
        update={"task": "aio_0shot", "n_samples": 10, "outcomes": ENDED}
    )

    scores = metric_values_of(result, stderr="metric", outcomes="all")

    assert scores.metrics["aio_0shot_truncated"] == 7.0


def test_shares_take_no_room_from_scores() -> None:
    result = result_with(*TWO).model_copy(
        update={"task": "aio_0shot", "n_samples": 10, "outcomes": ENDED}
    )

    scores = metric_values_of(result, stderr="none", outcomes="all", max_metrics=4)

    assert list(scores.metrics) == ["a", "b", "a/x", "aio_0shot_n"]


def test_an_older_result_that_counted_nothing_has_its_number_only() -> None:
    result = result_with(*TWO).model_copy(
        update={"task": "aio_0shot", "n_samples": 10, "outcomes": {}}
    )

    scores = metric_values_of(result, stderr="none", outcomes="all")

    assert scores.metrics == {"a": 0.5, "b": 0.7, "a/x": 0.1, "aio_0shot_n": 10}
