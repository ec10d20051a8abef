"""Withdrawing what a newer result does not have: categories, standard errors, values.

MLflow cannot delete a metric. If an older result had a metric and the one that replaces it has not,
NaN becomes the metric's latest point, which MLflow's pages show as `NaN`; else the old value would
stand beside the new ones as if it belonged to them. Nothing else is logged as NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from llmeval_core.hooks import TaskResult
from llmeval_mlflow_tracker.metric_points import MetricPoint
from llmeval_mlflow_tracker.metric_values import STDERR_SUFFIX
from llmeval_mlflow_tracker.tags import definition_tag, name_tag

WITHDRAWN = math.nan


def withdrawn(
    result: TaskResult,
    written: Iterable[str],
    latest: Mapping[str, MetricPoint],
    tags: Mapping[str, str],
) -> dict[str, float]:
    """Return NaN for each metric that the run has and that the result, which replaces it, lacks.

    Args:
        result: the new one.
        written: the metric keys in MLflow that the result writes.
        latest: the latest point of every metric of the run.
        tags: the run's tags.
    """
    kept = set(written)
    whole = {metric.key for metric in result.metrics if metric.category is None}
    return {
        key: WITHDRAWN
        for key, point in latest.items()
        if key not in kept
        and not math.isnan(point.value)
        and _belongs(tags.get(name_tag(key), key), whole, tags)
    }


def _belongs(original: str, whole: set[str], tags: Mapping[str, str]) -> bool:
    """Whether a key is one of these metrics, or a category or a standard error of one.

    A metric may have the name of another one's standard error; then it has a definition.
    """
    head, slash, _ = original.partition("/")
    if head in whole:
        return True
    if slash or not original.endswith(STDERR_SUFFIX):
        return False
    is_own = definition_tag(original) in tags
    return original.removesuffix(STDERR_SUFFIX) in whole and not is_own
