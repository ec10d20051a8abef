"""Converts our records to mlflow's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmeval_mlflow_tracker.metric_points import MetricPoint
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession


def metric_entities(
    session: DeadlineSession, points: Iterable[tuple[str, MetricPoint]]
) -> list[Any]:
    """Return mlflow's metrics; Any: mlflow has no useful type information."""
    make = session.connection.entities.Metric
    return [make(key, point.value, point.timestamp_ms, point.step) for key, point in points]


def tag_entities(session: DeadlineSession, tags: Mapping[str, str]) -> list[Any]:
    """Return mlflow's run tags; Any: mlflow has no useful type information."""
    make = session.connection.entities.RunTag
    return [make(key, text) for key, text in tags.items()]
