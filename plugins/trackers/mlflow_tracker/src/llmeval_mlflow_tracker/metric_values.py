"""The values of a result as MLflow's metrics, and what among them is not a number."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from llmeval_core.hooks import MetricResult, TaskResult
from llmeval_mlflow_tracker.coercion import as_number
from llmeval_mlflow_tracker.names import legal_key
from llmeval_mlflow_tracker.outcome_metrics import OutcomeMetrics, outcome_metrics

STDERR_SUFFIX = "_stderr"
StderrPlace = Literal["metric", "table", "none"]


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One value with its standard error; None where there is none to show."""

    value: float | None
    stderr: float | None


@dataclass(frozen=True, slots=True)
class MetricValues:
    """The values of one result, by metric key in MLflow.

    Args:
        metrics: finite numbers to log as metrics, standard errors included.
        table_only: what is not logged as a metric: a value for which there was no room, or only a
            standard error (`value` is then None).
        not_numbers: the text of a value that is not a number.
        names: the original of a key that MLflow does not allow.
    """

    metrics: dict[str, float]
    table_only: dict[str, MetricValue]
    not_numbers: dict[str, str]
    names: dict[str, str]


def metric_values_of(
    result: TaskResult,
    *,
    stderr: StderrPlace,
    known: Collection[str] = (),
    max_metrics: int | None = None,
    outcomes: OutcomeMetrics = "none",
) -> MetricValues:
    """Decide for every aggregate, and its standard error, where it is shown.

    A value that is not a finite number never becomes a metric, nor does its standard error. A
    standard error whose key is another metric's own is left out.

    Args:
        result: the result.
        stderr: as metrics `{key}_stderr`, in tables only, or nowhere.
        known: the metric keys that the run has; they are always logged.
        max_metrics: how many metrics the run may have in all; whole tasks come before
            categories, and a score before its standard error. None for no limit.
        outcomes: which metrics say how samples ended; a metric of the user with such a key comes
            first, and so does every other value if there is not room for all.
    """
    values = MetricValues({}, {}, {}, {})
    budget = _MetricBudget(known, max_metrics)
    numeric = _numeric_metrics(result, values)
    errors = {} if stderr == "none" else _errors(result, numeric)
    whole_tasks_first = sorted(numeric.items(), key=lambda item: item[1].category is not None)
    for key, metric in whole_tasks_first:
        value, error = as_number(metric.aggregate.value), errors.get(key)
        wanted = {key: value}
        if error is not None and stderr == "metric":
            wanted[_stderr_key(metric)] = error
        for name, number in wanted.items():
            if number is not None and budget.take(name):
                values.metrics[name] = number
        if len(values.metrics.keys() & wanted.keys()) < len(wanted) or (
            error is not None and stderr == "table"
        ):
            values.table_only[key] = MetricValue(None if key in values.metrics else value, error)
    own = {legal_key(metric.key) for metric in result.metrics}
    for original, number in outcome_metrics(result, outcomes):
        key = legal_key(original)
        if key not in own and key not in values.metrics and budget.take(key):
            values.metrics[key] = number
            if key != original:
                values.names[key] = original
    return values


class _MetricBudget:
    """How many metrics may still be added to a run; those that it has do not count."""

    def __init__(self, known: Collection[str], max_metrics: int | None) -> None:
        self._known = known
        self._left = math.inf if max_metrics is None else max(0, max_metrics - len(known))

    def take(self, key: str) -> bool:
        """Whether this metric may be logged."""
        if key in self._known:
            return True
        if self._left <= 0:
            return False
        self._left -= 1
        return True


def _numeric_metrics(result: TaskResult, values: MetricValues) -> dict[str, MetricResult]:
    """Return the metrics that have a number, by key; add the others, and names, to `values`."""
    numeric = {}
    for metric in result.metrics:
        key, value = legal_key(metric.key), metric.aggregate.value
        if key != metric.key:
            values.names[key] = metric.key
        if as_number(value) is None:
            values.not_numbers[key] = "none" if value is None else str(value)
        else:
            numeric[key] = metric
    for metric in numeric.values():
        if (key := _stderr_key(metric)) != metric.key + STDERR_SUFFIX:
            values.names[key] = metric.key + STDERR_SUFFIX
    return numeric


def _errors(result: TaskResult, numeric: dict[str, MetricResult]) -> dict[str, float]:
    """Return the standard errors, by the key of their metric."""
    own = {legal_key(metric.key) for metric in result.metrics}
    errors = {key: as_number(metric.aggregate.stderr) for key, metric in numeric.items()}
    return {
        key: error
        for key, error in errors.items()
        if error is not None and _stderr_key(numeric[key]) not in own
    }


def _stderr_key(metric: MetricResult) -> str:
    return legal_key(metric.key + STDERR_SUFFIX)
