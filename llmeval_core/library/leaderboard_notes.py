"""What must be known beside the numbers of a leaderboard: what changed, what is not comparable."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from llmeval_core.completeness import Coverage, coverage_of
from llmeval_core.conditions import what_differs
from llmeval_core.journal import Reader
from llmeval_core.library.leaderboard import Leaderboard
from llmeval_core.records import TaskResult

MOST_NAMED = 6
"""Conditions and models that one note names."""
MOST_NOTES = 12
"""Notes on one leaderboard."""


def leaderboard_notes(board: Leaderboard) -> list[str]:
    """Say which numbers came about otherwise than before, or otherwise than other models'.

    Returns:
        A line a task; empty if every column can be compared as it stands.
    """
    notes = [
        note
        for (model, task), (result, before) in _by_task(board).items()
        if before is not None and (note := change_note(model, task, result, before))
    ]
    notes += _apart(board)
    more = len(notes) - MOST_NOTES
    return notes if more <= 0 else [*notes[:MOST_NOTES], f"and {more} more such notes"]


def change_note(model: str, task: str, result: TaskResult, before: TaskResult) -> str | None:
    """Say how a result came about otherwise than the one that stood before it; None if it did not.

    Args:
        model, task: whose results.
        result, before: the newer and the older one.
    """
    changed = what_differs(result, before)
    if not changed:
        return None
    return (
        f"{task} of {model}: changed since {day(before)}: {_listed(changed)};"
        f" `llmeval history {task}` has the numbers"
    )


def kept_out_notes(reader: Reader, results: Iterable[TaskResult]) -> list[str]:
    """Say which results of a run gave way to more complete ones, and what else changed with them.

    Args:
        reader: of the journal, which has the results.
        results: of one run.
    """
    notes = []
    for result in results:
        before: TaskResult | None = None
        shown = reader.standing_result(result.model, result.task)
        for earlier in reader.results_of_task(result.model, result.task, until=result.id):
            if earlier.id != result.id:
                before = earlier
        if shown is not None and shown.id != result.id and shown.finished_at < result.finished_at:
            notes.append(
                f"{result.task} of {result.model}: {_share(coverage_of(result))} give way to the"
                f" result of {day(shown)} with {_share(coverage_of(shown))}, which stays in the"
                " leaderboard and in trackers; --replace puts this one there"
            )
        elif before is not None:
            note = change_note(result.model, result.task, result, before)
            notes += [note] if note else []
    return notes


def day(result: TaskResult) -> str:
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


def _apart(board: Leaderboard) -> Iterator[str]:
    """Name the tasks at which models were asked or scored differently."""
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
            yield (
                f"{task}: not comparable between {results[0].model} and"
                f" {_listed(tuple(apart))}: they differ in {_listed(tuple(names))}"
            )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
