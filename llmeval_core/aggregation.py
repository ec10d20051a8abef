"""From scores to aggregates: the whole task first, then each category."""

from __future__ import annotations

import math
from collections.abc import Iterable

from llmeval_core.contracts import Metric
from llmeval_core.errors import PluginError, foreign_errors
from llmeval_core.journal import Reader, StoredTask
from llmeval_core.naming import metric_key
from llmeval_core.plan import PlannedMetric, PlannedTask
from llmeval_core.records import Aggregate, MetricResult, Score


def aggregate_task(
    reader: Reader, stored: StoredTask, task: PlannedTask, *, n_failed: int
) -> tuple[MetricResult, ...]:
    """Aggregate every metric of a finished task, from the journal, in sample order.

    Blocking; needs memory for some thousand scores at a time, unless a metric keeps more.

    Args:
        reader: of the journal.
        stored, task: the task.
        n_failed: how many of its samples failed.

    Raises:
        PluginError: a metric cannot aggregate its own scores.
    """
    categories = reader.categories(stored.id)
    results = []
    for planned in task.metrics:
        whole = _aggregate(planned, reader.scores(stored, planned.name))
        results.append(_result(task, planned, None, whole, n_failed))
        for category, n_failed_in_it in categories.items():
            part = _aggregate(planned, reader.scores(stored, planned.name, category))
            results.append(_result(task, planned, category, part, n_failed_in_it))
    return tuple(results)


def _aggregate(planned: PlannedMetric, scores: Iterable[Score]) -> Aggregate:
    """Let a metric aggregate; what is not a finite number is unknown."""
    with foreign_errors(PluginError, f"metric '{planned.name}' cannot aggregate its scores"):
        aggregate = planned.metric.aggregate(scores)
        numbers = {"value": aggregate.value, "stderr": aggregate.stderr}
    unknown = {
        key: None
        for key, number in numbers.items()
        if number is not None and not math.isfinite(number)
    }
    return aggregate.model_copy(update=unknown) if unknown else aggregate


def _result(
    task: PlannedTask,
    planned: PlannedMetric,
    category: str | None,
    aggregate: Aggregate,
    n_failed: int,
) -> MetricResult:
    metric: Metric = planned.metric
    return MetricResult(
        key=metric_key(task.key, planned.name, category),
        metric=planned.name,
        definition=metric.definition,
        higher_is_better=metric.higher_is_better,
        category=category,
        aggregate=aggregate.model_copy(update={"n_failed": n_failed}),
    )
