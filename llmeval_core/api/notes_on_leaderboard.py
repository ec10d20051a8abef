"""What must be known beside the numbers of a leaderboard: what changed, what is not comparable."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmeval_core.api.leaderboard import Leaderboard
from llmeval_core.completeness import Coverage, coverage_of, current_by_metric
from llmeval_core.conditions import what_differs
from llmeval_core.journal import JournalQueries
from llmeval_core.records import TaskResult

MOST_NAMED = 6
"""Conditions and models that one note names."""
MOST_NOTES = 12
"""Notes on one leaderboard."""


@dataclass(frozen=True, slots=True)
class ConditionChange:
    """A model's number of a task came about otherwise than the one before.

    Args:
        task, model: whose.
        before: the result that stood before.
        conditions: what differs, sorted.
    """

    task: str
    model: str
    before: TaskResult
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConditionMismatch:
    """Models were asked or scored differently at a task.

    Args:
        task: at which.
        model: the first one.
        others: those that differ from it.
        conditions: what differs, sorted.
    """

    task: str
    model: str
    others: tuple[str, ...]
    conditions: tuple[str, ...]


def condition_differences(board: Leaderboard) -> list[ConditionChange | ConditionMismatch]:
    """Find which numbers came about otherwise than before, or otherwise than other models'."""
    found: list[ConditionChange | ConditionMismatch] = [
        ConditionChange(task, model, before, conditions)
        for (model, task), (result, before) in _by_task(board).items()
        if before is not None and (conditions := what_differs(result, before))
    ]
    return [*found, *_apart(board)]


def leaderboard_notes(board: Leaderboard) -> list[str]:
    """Say which numbers came about otherwise than before, or otherwise than other models'.

    Returns:
        A line a task; empty if every column can be compared as it stands.
    """
    found = condition_differences(board)
    more = len(found) - MOST_NOTES
    notes = [_text(one) for one in found[:MOST_NOTES]]
    return notes if more <= 0 else [*notes, f"and {more} more such notes"]


def change_note(model: str, task: str, result: TaskResult, before: TaskResult) -> str | None:
    """Say how a result came about otherwise than the one that stood before it; None if it did not.

    Args:
        model, task: whose results.
        result, before: the newer and the older one.
    """
    changed = what_differs(result, before)
    return _text(ConditionChange(task, model, before, changed)) if changed else None


def _text(one: ConditionChange | ConditionMismatch) -> str:
    if isinstance(one, ConditionChange):
        return (
            f"{one.task} of {one.model}: changed since {finish_time_text(one.before)}:"
            f" {join_names(one.conditions)}; `llmeval history {one.task}` has the numbers"
        )
    return (
        f"{one.task}: not comparable between {one.model} and {join_names(one.others)}:"
        f" they differ in {join_names(one.conditions)}"
    )


def superseded_notes(reader: JournalQueries, results: Iterable[TaskResult]) -> list[str]:
    """Say which results of a run gave way to more complete ones, and what else changed with them.

    Args:
        reader: of the journal, which has the results.
        results: of one run.
    """
    notes = []
    for result in results:
        every = list(reader.results_of_task(result.model, result.task))
        out, shown = _gave_way(every, result)
        place = next((at for at, one in enumerate(every) if one.id == result.id), 0)
        before = every[place - 1] if place else None
        if shown is not None:
            which = f" ({', '.join(out)})" if len(out) < len(_metrics(result)) else ""
            notes.append(
                f"{result.task} of {result.model}{which}: {_share(coverage_of(result, out[0]))}"
                f" give way to the result of {finish_time_text(shown)} with"
                f" {_share(coverage_of(shown, out[0]))}, which stays in the leaderboard and in"
                " trackers; --replace puts this one there"
            )
        elif before is not None:
            note = change_note(result.model, result.task, result, before)
            notes += [note] if note else []
    return notes


def _gave_way(
    every: Iterable[TaskResult], result: TaskResult
) -> tuple[list[str], TaskResult | None]:
    """Name the metrics of a result that gave way, and one of the results that they gave way to.

    Args:
        every: all results of its model at its task, oldest first.
        result: one of them.
    """
    stands = current_by_metric(every)
    out = {
        name: stands[name]
        for name in _metrics(result)
        if stands[name].id != result.id and stands[name].finished_at < result.finished_at
    }
    return list(out), next(iter(out.values()), None)


def _metrics(result: TaskResult) -> list[str]:
    return list(dict.fromkeys(metric.metric for metric in result.metrics))


def finish_time_text(result: TaskResult) -> str:
    """Write when a result was finished, in local time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(result.finished_at))


def _share(coverage: Coverage) -> str:
    text = f"{coverage.n_samples} samples"
    if not coverage.is_whole:
        text = f"{coverage.n_samples} of {coverage.n_total or 'more'} samples"
    return f"{text}, {coverage.n_failed} failed" if coverage.n_failed else text


def _by_task(board: Leaderboard) -> dict[tuple[str, str], tuple[TaskResult, TaskResult | None]]:
    found: dict[tuple[str, str], tuple[TaskResult, TaskResult | None]] = {}
    for place, result in board.results.items():
        found.setdefault((result.model, result.task), (result, board.before.get(place)))
    return found


def _apart(board: Leaderboard) -> Iterator[ConditionMismatch]:
    """Find the tasks at which models were asked or scored differently."""
    by_task: dict[str, list[TaskResult]] = {}
    for (_, task), (result, _) in _by_task(board).items():
        by_task.setdefault(task, []).append(result)
    for task, results in by_task.items():
        apart = {
            result.model: differing
            for result in results[1:]
            if (differing := what_differs(results[0], result, models=False))
        }
        if apart:
            names = sorted({name for differing in apart.values() for name in differing})
            yield ConditionMismatch(task, results[0].model, tuple(apart), tuple(names))


def join_names(names: tuple[str, ...]) -> str:
    """Write some names, the first few of them if they are many."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
