"""Calls within MLflow's limits."""

from __future__ import annotations

import pytest
from llmeval_mlflow_tracker.log_batches import log_batches
from llmeval_mlflow_tracker.metric_points import MetricPoint


@pytest.mark.parametrize(
    ("n_metrics", "n_tags", "sizes"),
    [
        (12, 8, [(12, 8)]),
        (950, 100, [(950, 50), (0, 50)]),
        (1000, 3, [(1000, 0), (0, 3)]),
        (2500, 250, [(1000, 0), (1000, 0), (500, 100), (0, 100), (0, 50)]),
        (0, 1, [(0, 1)]),
    ],
)
def test_batches_keep_the_limits_and_the_order(
    n_metrics: int, n_tags: int, sizes: list[tuple[int, int]]
) -> None:
    points = {f"m{i}": MetricPoint(0.5, 0, 0) for i in range(n_metrics)}
    tags = {f"t{i}": "x" for i in range(n_tags)}

    made = list(log_batches(points, tags))

    assert [(len(metrics), len(some_tags)) for metrics, some_tags in made] == sizes
    assert [key for metrics, _ in made for key in metrics] == list(points)
    assert [key for _, some_tags in made for key in some_tags] == list(tags)
