"""Splits what is logged by MLflow's limits on one call: 1,000 metrics, 100 tags, 1,000 in all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmeval_mlflow_tracker.metric_points import MetricPoint

_MAX_ENTRIES = 1000
_MAX_TAGS = 100

LogBatch = tuple[dict[str, MetricPoint], dict[str, str]]


def log_batches(points: Mapping[str, MetricPoint], tags: Mapping[str, str]) -> Iterator[LogBatch]:
    """Split metrics and tags into calls, in order: no tag before the last metric.

    So the last tag is written when everything else is there.
    """
    metrics, rest = list(points.items()), list(tags.items())
    while metrics or rest:
        some, metrics = metrics[:_MAX_ENTRIES], metrics[_MAX_ENTRIES:]
        n_tags = 0 if metrics else min(_MAX_TAGS, _MAX_ENTRIES - len(some))
        few, rest = rest[:n_tags], rest[n_tags:]
        yield dict(some), dict(few)
