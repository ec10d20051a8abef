"""The numbers of a result, ready for MLflow, and what among them is not a number."""

from __future__ import annotations

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
class Score:
    """One value with its standard error; None where there is none to show."""

    value: float | None
    stderr: float | None


@dataclass(frozen=True, slots=True)
class Scores:
    """What one result has to say in numbers.

    Args:
        metrics: metric key in MLflow to a finite number, standard errors included.
        table_only: metric key to what is not among the metrics: a score that the budget left
            out, or only its standard error (`value` is then None).
        not_numbers: metric key in MLflow to the text of what stands there instead.
        names: metric key in MLflow to the original, where they differ.
    """

    metrics: dict[str, float]
    table_only: dict[str, Score]
    not_numbers: dict[str, str]
    names: dict[str, str]


def scores_of(
    result: TaskResult,
    *,
    stderr: StderrPlace,
    known: Collection[str] = (),
    max_metrics: int | None = None,
    outcomes: OutcomeMetrics = "none",
) -> Scores:
    """Sort every aggregate, and its standard error, to where it is shown.

    A value that is not a finite number never becomes a metric, nor does its standard error. A
    standard error whose key is another metric's own gives way to it.

    Args:
        result: the result.
        stderr: as metrics `{key}_stderr`, in tables only, or nowhere.
        known: the metric keys that the run has; they always keep their place.
        max_metrics: how many metrics the run may have in all; whole tasks come before
            categories, and a score before its standard error. None for no limit.
        outcomes: which metrics tell how samples ended; a metric of the user's own with such a key
            goes before, and so does every score if there is not room for all.
    """
    scores = Scores({}, {}, {}, {})
    room = None if max_metrics is None else max(0, max_metrics - len(known))
    values = _values(result, scores)
    errors = {} if stderr == "none" else _errors(result, values)
    whole_first = sorted(values.items(), key=lambda item: item[1].category is not None)
    for key, metric in whole_first:
        value, error = as_number(metric.aggregate.value), errors.get(key)
        wanted = {key: value}
        if error is not None and stderr == "metric":
            wanted[_stderr_key(metric)] = error
        for name, number in wanted.items():
            if number is not None and (room is None or room > 0 or name in known):
                scores.metrics[name] = number
                room = room if room is None or name in known else room - 1
        if len(scores.metrics.keys() & wanted.keys()) < len(wanted) or (
            error is not None and stderr == "table"
        ):
            scores.table_only[key] = Score(None if key in scores.metrics else value, error)
    own = {legal_key(metric.key) for metric in result.metrics}
    for original, number in outcome_metrics(result, outcomes):
        key = legal_key(original)
        if key in own or key in scores.metrics or not (room is None or room > 0 or key in known):
            continue
        scores.metrics[key] = number
        if key != original:
            scores.names[key] = original
        room = room if room is None or key in known else room - 1
    return scores


def _values(result: TaskResult, scores: Scores) -> dict[str, MetricResult]:
    """Return what has a number, by key, and note the rest."""
    values = {}
    for metric in result.metrics:
        key, value = legal_key(metric.key), metric.aggregate.value
        if key != metric.key:
            scores.names[key] = metric.key
        if as_number(value) is None:
            scores.not_numbers[key] = "none" if value is None else str(value)
        else:
            values[key] = metric
    for metric in values.values():
        if (key := _stderr_key(metric)) != metric.key + STDERR_SUFFIX:
            scores.names[key] = metric.key + STDERR_SUFFIX
    return values


def _errors(result: TaskResult, values: dict[str, MetricResult]) -> dict[str, float]:
    """Return the standard errors, by the key of their metric."""
    own = {legal_key(metric.key) for metric in result.metrics}
    errors = {key: as_number(metric.aggregate.stderr) for key, metric in values.items()}
    return {
        key: error
        for key, error in errors.items()
        if error is not None and _stderr_key(values[key]) not in own
    }


def _stderr_key(metric: MetricResult) -> str:
    return legal_key(metric.key + STDERR_SUFFIX)
