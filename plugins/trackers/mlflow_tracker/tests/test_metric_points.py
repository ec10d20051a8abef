"""Steps that let the newest value win."""

from __future__ import annotations

from llmeval_mlflow_tracker.metric_points import (
    MetricPoint,
    next_points,
    possibly_overtaken,
    was_applied,
)


def test_a_new_metric_begins_at_step_0() -> None:
    assert next_points({"a": 0.5}, {}, timestamp_ms=9) == {"a": MetricPoint(0.5, 9, 0)}


def test_a_new_value_gets_the_next_step_even_if_lower_and_older() -> None:
    latest = {"a": MetricPoint(0.9, 100, 4)}

    assert next_points({"a": 0.1}, latest, timestamp_ms=50) == {"a": MetricPoint(0.1, 50, 5)}


def test_the_same_point_again_stays_as_it_is() -> None:
    latest = {"a": MetricPoint(0.9, 100, 4)}

    assert next_points({"a": 0.9}, latest, timestamp_ms=100) == latest


def test_the_same_value_of_a_later_evaluation_is_a_new_point() -> None:
    latest = {"a": MetricPoint(0.9, 100, 4)}

    assert next_points({"a": 0.9}, latest, timestamp_ms=101) == {"a": MetricPoint(0.9, 101, 5)}


def test_a_key_with_a_newer_point_is_suspected_and_its_history_decides() -> None:
    latest = {"a": MetricPoint(0.9, 100, 4), "b": MetricPoint(0.9, 10, 1)}
    points = next_points({"a": 0.1, "b": 0.1, "c": 1.0}, latest, timestamp_ms=50)

    assert possibly_overtaken(points, latest) == ["a"]
    assert was_applied(0.1, 50, [MetricPoint(0.1, 50, 3), MetricPoint(0.9, 100, 4)])
    assert not was_applied(0.1, 50, [MetricPoint(0.1, 51, 3)])
