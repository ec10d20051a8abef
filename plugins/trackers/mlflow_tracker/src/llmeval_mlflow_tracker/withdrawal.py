"""Taking back what a newer result does not have: categories, standard errors, values.

MLflow has no way to delete a metric. So NaN, which its pages show as `NaN`, becomes the latest
point of a metric that an older result had and the one that takes its place has not; else the old
number would stand beside the new ones as if it belonged to them. Nothing else is logged as NaN.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from llmeval_core.hooks import TaskResult
from llmeval_mlflow_tracker.overwrite import Point
from llmeval_mlflow_tracker.scores import STDERR_SUFFIX
from llmeval_mlflow_tracker.tags import definition_tag, name_tag

WITHDRAWN = math.nan


def withdrawn(
    result: TaskResult,
    written: Iterable[str],
    latest: Mapping[str, Point],
    tags: Mapping[str, str],
) -> dict[str, float]:
    """Return the points that take back what the run has of a result's metrics and it has not.

    Args:
        result: the new one.
        written: the metric keys in MLflow that it writes itself.
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
    """Whether a key is one of these metrics', or of a category or a standard error of theirs.

    A metric of its own may be called like another's standard error; it has a definition.
    """
    head, slash, _ = original.partition("/")
    if head in whole:
        return True
    if slash or not original.endswith(STDERR_SUFFIX):
        return False
    is_own = definition_tag(original) in tags
    return original.removesuffix(STDERR_SUFFIX) in whole and not is_own
