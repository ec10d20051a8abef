"""Points of metrics: a new value replaces an old one whatever the clocks and values are.

Of all points of a metric MLflow shows the one with the highest (step, timestamp, value). So a new
value gets the next step, and the old points stay as its history.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One value of a metric: `timestamp_ms` since 1970, UTC, and `step` counted from 0."""

    value: float
    timestamp_ms: int
    step: int

    def is_same(self, value: float, timestamp_ms: int) -> bool:
        """Whether it has this value, which may be NaN, and this timestamp."""
        return self.timestamp_ms == timestamp_ms and (
            self.value == value or (math.isnan(self.value) and math.isnan(value))
        )


def latest_points(run: Any) -> dict[str, MetricPoint]:
    """Return the latest point of every metric of a run.

    Any: mlflow's run; only its protobuf form has the steps.
    """
    message = run.data.to_proto()
    return {
        metric.key: MetricPoint(metric.value, metric.timestamp, metric.step)
        for metric in message.metrics
    }


def next_points(
    values: Mapping[str, float], latest: Mapping[str, MetricPoint], *, timestamp_ms: int
) -> dict[str, MetricPoint]:
    """Return the points to write.

    A value that is already the latest one with this very timestamp is a replay: it comes back
    unchanged, and writing it again adds nothing.
    """
    points = {}
    for key, value in values.items():
        old = latest.get(key)
        if old is None:
            points[key] = MetricPoint(value, timestamp_ms, 0)
        elif old.is_same(value, timestamp_ms):
            points[key] = old
        else:
            points[key] = MetricPoint(value, timestamp_ms, old.step + 1)
    return points


def was_applied(value: float, timestamp_ms: int, history: Iterable[MetricPoint]) -> bool:
    """Whether a metric's history has this value with this timestamp."""
    return any(point.is_same(value, timestamp_ms) for point in history)


def possibly_overtaken(
    points: Mapping[str, MetricPoint], latest: Mapping[str, MetricPoint]
) -> list[str]:
    """List the keys whose latest point has a later timestamp than the one to be written.

    Either a clock is wrong, or this is the replay of a result that a newer one has replaced.
    """
    return [
        key
        for key, point in points.items()
        if key in latest and latest[key].timestamp_ms > point.timestamp_ms
    ]
