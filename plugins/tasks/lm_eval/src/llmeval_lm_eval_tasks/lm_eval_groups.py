"""lm-eval's groups as groups of ours: weighted or not, with its standard errors."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval_core.hooks import Aggregate, GroupMetric, TaskGroup
from llmeval_lm_eval_tasks.metric_names import TaskMetricName
from llmeval_lm_eval_tasks.task_selection import GroupChoice


def task_group(
    choice: GroupChoice, metrics: Mapping[str, Sequence[TaskMetricName]], *, library: str
) -> TaskGroup | None:
    """Make the group that stands for one of lm-eval's; None if no task has one of its numbers.

    Each number is of the tasks that have it; of two ways for one number the last counts.

    Args:
        choice: the group.
        metrics: those of each task, by its name.
        library: lm-eval's version.
    """
    names = [name for name in choice.tasks if name in metrics]
    version = "" if choice.version is None else f"-{choice.version}"
    numbers: dict[str, GroupMetric] = {}
    for wanted in choice.aggregates:
        weighted = bool(wanted.get("weight_by_size", True))
        for key in _keys(wanted, [metrics[name] for name in names]):
            members = [name for name in names if key in {one.key for one in metrics[name]}]
            if members:
                numbers[key] = GroupMetric(
                    tuple(name.replace("::", ".") for name in members),
                    functools.partial(aggregate_group, weighted=weighted),
                    f"group@lm-eval-{library}+{choice.name}{version}"
                    + ("" if weighted else "+tasks-alike"),
                )
    return TaskGroup(choice.name.replace("::", "."), numbers) if numbers else None


def _keys(wanted: Mapping[str, Any], metrics: Sequence[Sequence[TaskMetricName]]) -> list[str]:
    """Name the metrics that one entry of `aggregate_metric_list` means; Any: YAML."""
    filters = wanted.get("filter_list")
    named = [filters] if isinstance(filters, str) else filters
    known = {one.filter for of_task in metrics for one in of_task if one.metric == wanted["metric"]}
    return [
        TaskMetricName(str(wanted["metric"]), str(one), higher_is_better=True).key
        for one in (sorted(known) if named is None else named)
        if one in known
    ]


def aggregate_group(aggregates: Sequence[Aggregate], *, weighted: bool) -> Aggregate:
    """Make one number of those of a group's tasks, as lm-eval's `Group.aggregate` does.

    Args:
        aggregates: of the tasks, in lm-eval's order.
        weighted: by the numbers of documents, or each task as much as any other.
    """
    metrics = importlib.import_module("lm_eval.api.metrics")
    known = [one for one in aggregates if one.value is not None]
    if not known:
        return Aggregate(value=None)
    sizes = [one.n_scored for one in known]
    value = metrics.aggregate_subtask_metrics([one.value for one in known], sizes, weighted)
    stderrs = [one.stderr for one in known]
    stderr = None
    if None not in stderrs:
        stderr = (
            metrics.pooled_sample_stderr(stderrs, sizes)
            if weighted
            else metrics.unweighted_mean_stderr(stderrs)
        )
    method = "lm-eval's pooled_sample_stderr" if weighted else "lm-eval's unweighted_mean_stderr"
    return Aggregate(
        value=float(value),
        stderr=None if stderr is None else float(stderr),
        stderr_method=None if stderr is None else method,
        n_scored=sum(sizes),
        n_excluded=sum(one.n_excluded for one in known),
    )
