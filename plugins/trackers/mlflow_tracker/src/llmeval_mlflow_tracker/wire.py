"""Our records as mlflow's, for one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.overwrite import Point


def metric_entities(session: Session, points: Iterable[tuple[str, Point]]) -> list[Any]:
    """Make mlflow's metrics; Any: mlflow has no useful type information."""
    make = session.connection.entities.Metric
    return [make(key, point.value, point.timestamp_ms, point.step) for key, point in points]


def tag_entities(session: Session, tags: Mapping[str, str]) -> list[Any]:
    """Make mlflow's run tags; Any: mlflow has no useful type information."""
    make = session.connection.entities.RunTag
    return [make(key, text) for key, text in tags.items()]
