"""From scores to aggregates: the whole task first, then each category."""

from __future__ import annotations

import math
from collections.abc import Iterable

from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.journal import JournalQueries, StoredScores, StoredTask
from llmeval_core.naming import metric_key
from llmeval_core.plan import PlannedMetric, PlannedTask
from llmeval_core.records import Aggregate, MetricResult, Outcome, Score

_BLOCK = 1000


def aggregate_task(
    reader: JournalQueries, stored: StoredTask, task: PlannedTask
) -> tuple[MetricResult, ...]:
    """Aggregate every metric of a finished task, from the journal, in sample order.

    Blocking; needs memory for some thousand scores at a time, unless a metric keeps more.

    Args:
        reader: of the journal.
        stored, task: the task.

    Raises:
        PluginError: a metric cannot aggregate its own scores.
    """
    without: Outcome | None = "truncated" if task.truncated == "exclude" else None
    excluded = reader.outcome_counts(stored.id, without) if without is not None else {}
    categories = [None, *reader.index.categories(stored.id)]
    results = []
    for planned in task.metrics:
        n_failed = reader.n_without_score(stored, planned.name, without=without)
        for category in categories:
            scores = reader.scores(stored, planned.name, category, without=without)
            aggregate = _aggregate(planned, scores)
            n_excluded = excluded.get(category, 0)
            counts = {
                "n_failed": n_failed.get(category, 0),
                "n_excluded": n_excluded,
                "bounds": _bounds(aggregate, scores, n_excluded) if n_excluded else None,
            }
            results.append(_result(task, planned, category, aggregate.model_copy(update=counts)))
    return tuple(results)


def _aggregate(planned: PlannedMetric, scores: Iterable[Score]) -> Aggregate:
    """Let a metric aggregate; what is not a finite number is unknown."""
    with wrap_plugin_errors(PluginError, f"metric '{planned.name}' cannot aggregate its scores"):
        return finite_aggregate(planned.metric.aggregate(scores))


def finite_aggregate(aggregate: Aggregate) -> Aggregate:
    """Take what is not a finite number for unknown."""
    numbers = {
        "value": (aggregate.value,),
        "stderr": (aggregate.stderr,),
        "interval": aggregate.interval or (),
    }
    unknown = {
        key: None
        for key, listed in numbers.items()
        if any(number is not None and not math.isfinite(number) for number in listed)
    }
    return aggregate.model_copy(update=unknown) if unknown else aggregate


def _bounds(
    aggregate: Aggregate, scores: StoredScores, n_excluded: int
) -> tuple[float, float] | None:
    """Say what the number could be, had what was left out been all wrong or all right.

    Known for a mean of numbers from 0 to 1; None for anything else, such as BLEU.
    """
    if aggregate.value is None:
        return None
    n_scores = 0
    total = 0.0
    for block in scores.value_blocks(_BLOCK):
        if min(block, default=0.0) < 0 or max(block, default=0.0) > 1:
            return None
        n_scores += len(block)
        total += math.fsum(block)
    if n_scores != aggregate.n_scored or not math.isclose(
        aggregate.value, total / n_scores, rel_tol=1e-9, abs_tol=1e-9
    ):
        return None
    n_all = n_scores + n_excluded
    return total / n_all, (total + n_excluded) / n_all


def _result(
    task: PlannedTask,
    planned: PlannedMetric,
    category: str | None,
    aggregate: Aggregate,
) -> MetricResult:
    metric = planned.metric
    return MetricResult(
        key=metric_key(task.key, planned.name, category),
        metric=planned.name,
        definition=planned.definition,
        higher_is_better=metric.higher_is_better,
        category=category,
        aggregate=aggregate,
    )
