"""lm-eval's groups as groups of ours: weighted or not, with its standard errors."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval_core.hooks import Aggregate, TaskGroup
from llmeval_lm_eval_tasks.metric_names import TaskMetricName
from llmeval_lm_eval_tasks.task_selection import GroupChoice


def task_groups(
    choice: GroupChoice, metrics: Mapping[str, Sequence[TaskMetricName]], *, library: str
) -> list[TaskGroup]:
    """Make the groups that stand for one of lm-eval's.

    Mostly one. Where some of its numbers are of other tasks than the rest, or weighted otherwise,
    each such set is a group, and all but the largest have the metric in their names.

    Args:
        choice: the group.
        metrics: those of each task, by its name.
        library: lm-eval's version.
    """
    names = [name for name in choice.tasks if name in metrics]
    parts: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for wanted in choice.aggregates:
        weighted = bool(wanted.get("weight_by_size", True))
        for key in _keys(wanted, [metrics[name] for name in names]):
            members = tuple(name for name in names if key in {one.key for one in metrics[name]})
            if members:
                listed = parts.setdefault((members, weighted), [])
                if key not in listed:
                    listed.append(key)
    version = "" if choice.version is None else f"-{choice.version}"
    largest = max(parts, key=lambda part: len(part[0]), default=None)
    own_name = choice.name.replace("::", ".")
    return [
        TaskGroup(
            own_name if (members, weighted) == largest else f"{own_name}.{keys[0]}",
            tuple(name.replace("::", ".") for name in members),
            tuple(keys),
            functools.partial(aggregate_group, weighted=weighted),
            f"group@lm-eval-{library}+{choice.name}{version}"
            + ("" if weighted else "+tasks-alike"),
        )
        for (members, weighted), keys in parts.items()
    ]


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
