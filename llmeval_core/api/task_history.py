"""What a key was, when, and from what: every result of it, oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from llmeval_core.completeness import coverage_of, gives_way
from llmeval_core.conditions import what_differs
from llmeval_core.errors import UnknownNameError
from llmeval_core.naming import did_you_mean_key
from llmeval_core.records import MetricResult, TaskResult


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One number that a key had.

    Args:
        result: the result that it is of.
        metric: the number.
        changed: the conditions that are not as they were in the entry of this key and model before.
        stands: whether it is the one that the leaderboard shows.
        gave_way: whether it never was, because what stood was more complete.
    """

    result: TaskResult
    metric: MetricResult
    changed: tuple[str, ...]
    stands: bool
    gave_way: bool


def history(
    results: Iterable[TaskResult], key: str, *, models: tuple[str, ...] = ()
) -> list[HistoryEntry]:
    """Find every number of a metric key, or of all metrics of a task key, oldest first.

    Args:
        results: of the journal, oldest first.
        key: a metric key, of a category too, or a task key, which means its metrics as a whole.
        models: only these; all if empty.

    Raises:
        UnknownNameError: no result has such a key, or no such model has it.
    """
    entries: list[HistoryEntry] = []
    standing: dict[tuple[str, str, str], TaskResult] = {}
    newest: dict[tuple[str, str], TaskResult] = {}
    known: set[str] = set()
    known_models: set[str] = set()
    for result in results:
        took_place = _take_place(standing, result)
        for metric in result.metrics:
            known |= {metric.key, result.task}
            is_asked = key == metric.key or (key == result.task and metric.category is None)
            if not is_asked:
                continue
            known_models.add(result.model)
            if models and result.model not in models:
                continue
            place = (result.model, metric.key)
            before = newest.get(place)
            gave_way = metric.metric not in took_place
            changed = what_differs(result, before) if before is not None else ()
            newest[place] = result
            entries.append(HistoryEntry(result, metric, changed, stands=False, gave_way=gave_way))
    if not entries:
        raise _unknown(key, known, models if known_models else (), known_models)
    return [
        replace(one, stands=standing[_of(one.result, one.metric.metric)] is one.result)
        for one in entries
    ]


def _take_place(
    standing: dict[tuple[str, str, str], TaskResult], result: TaskResult
) -> frozenset[str]:
    """Put a result in the place of older ones; return the metrics of which it stands now."""
    took = set()
    for name in {metric.metric for metric in result.metrics}:
        place = _of(result, name)
        if place not in standing or not gives_way(result, standing[place], name):
            standing[place] = result
            took.add(name)
    return frozenset(took)


def _of(result: TaskResult, metric: str) -> tuple[str, str, str]:
    return result.model, result.task, metric


def history_json(entries: Iterable[HistoryEntry]) -> list[dict[str, Any]]:
    """Write entries as JSON; Any: JSON."""
    return [
        {
            "model": one.result.model,
            "task": one.result.task,
            **one.metric.model_dump(mode="json"),
            "n_samples": one.result.n_samples,
            "n_total": coverage_of(one.result).n_total,
            "outcomes": dict(one.result.outcomes),
            "finished_at": one.result.finished_at,
            "result_id": one.result.id,
            "plan": one.result.plan_fingerprint,
            "llmeval_version": one.result.llmeval_version,
            "changed": list(one.changed),
            "stands": one.stands,
            "gave_way": one.gave_way,
        }
        for one in entries
    ]


def _unknown(
    key: str, known: set[str], models: tuple[str, ...], with_key: set[str]
) -> UnknownNameError:
    if models:
        return UnknownNameError(
            f"no result of '{key}' is from {' or '.join(models)}",
            hint=f"these have: {', '.join(sorted(with_key))}",
        )
    hints = (did_you_mean_key(key, sorted(known)), "`llmeval results` shows what there is")
    return UnknownNameError(
        f"the journal has no result of '{key}'", hint=" ".join(hint for hint in hints if hint)
    )
