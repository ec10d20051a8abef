"""Which numbers of a result a tracker is not to get, because others stand."""

from __future__ import annotations

from llmeval_core.completeness import current_by_metric
from llmeval_core.journal import JournalQueries
from llmeval_core.records import TaskResult


def without_superseded(
    reader: JournalQueries, result: TaskResult, tracker: str
) -> TaskResult | None:
    """Return a result without the metrics that gave way to others; None if no metric is left.

    They gave way to older, more complete results, or to newer ones that the tracker has already:
    a result that it refused before, or gets later than others, must not take their place. What
    comes after it and is still pending does not count: that is delivered after it.
    """
    others = reader.results_of_task(result.model, result.task, until=result.id, or_in=tracker)
    stands = {name for name, one in current_by_metric(others).items() if one.id == result.id}
    metrics = tuple(metric for metric in result.metrics if metric.metric in stands)
    if len(metrics) == len(result.metrics):
        return result
    return result.model_copy(update={"metrics": metrics}) if metrics else None
