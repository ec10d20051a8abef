"""The results of earlier runs, where they still are what this run would give."""

from __future__ import annotations

import asyncio
import time
import uuid

from llmeval_core.completeness import current_result, gives_way
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import PlannedEvaluation, PlannedTask
from llmeval_core.records import TaskResult


class KnownResults:
    """The tasks of one model that need not be run, read from the journal together.

    These are the tasks whose complete result stands under its key already. Nothing is to be sent or
    renewed for them, so they need no lock either. For any other task see `known_result`.

    Args:
        journal: where results are.
        evaluation: the model and its tasks.
    """

    def __init__(self, journal: Journal, evaluation: PlannedEvaluation) -> None:
        self._journal = journal
        self._evaluation = evaluation
        self._reading = asyncio.Lock()
        self._found: dict[str, TaskResult] | None = None

    async def of(self, task: PlannedTask) -> TaskResult | None:
        """Return the result of a task that stands; None if the task must be looked at itself."""
        async with self._reading:
            if self._found is None:
                self._found = await asyncio.to_thread(
                    self._journal.read, _current_results, self._evaluation
                )
        return self._found.get(task.fingerprint)


def _current_results(
    reader: JournalQueries, evaluation: PlannedEvaluation
) -> dict[str, TaskResult]:
    """Find the results that stand, are complete, and are of these very tasks, by fingerprint."""
    tasks = {task.key: task for task in evaluation.tasks}
    found = {}
    for key, results in reader.results_by_task(evaluation.model.name, list(tasks)):
        result, task = current_result(results), tasks[key]
        if (
            result is not None
            and result.task_fingerprint == task.fingerprint
            and _is_usable(reader, task, result)
        ):
            found[task.fingerprint] = result
    return found


def known_result(
    journal: Journal, model: str, task: PlannedTask, *, replace: bool
) -> TaskResult | None:
    """Find the result of an earlier, complete run of this very task; blocking.

    If another result stands under the same key, and this one need not give way to it, it counts
    as a new result, so that trackers show again what was asked for last.

    Args:
        journal: where it is.
        model, task: of which.
        replace: whether it takes the place of a more complete result.
    """
    known = journal.read(JournalQueries.result_of, model, task.key, task.fingerprint)
    if known is None or not journal.read(_is_usable, task, known):
        return None
    return standing_again(journal, known, replace=replace)


def standing_again(journal: Journal, known: TaskResult, *, replace: bool) -> TaskResult:
    """Return an earlier result that is asked for once more, as a new one if it has to be; blocking.

    It has to be where another result stands under its key, and it need not give way to that one.

    Args:
        journal: where results are.
        known: the earlier result.
        replace: whether it takes the place of a more complete result.
    """
    shown = journal.read(JournalQueries.current_result, known.model, known.task)
    if shown is None or shown.id == known.id:
        return known
    again = {"id": uuid.uuid4().hex, "finished_at": time.time(), "replaces": replace}
    renewed = known.model_copy(update=again)
    return known if gives_way(renewed, shown) else renewed


def _is_usable(reader: JournalQueries, task: PlannedTask, known: TaskResult) -> bool:
    """Whether no sample failed or lacks, and no answer of it was asked again since."""
    if known.n_failed or _lacks_samples(task, known):
        return False
    changed_at = reader.rounds.changed_at(task.cache_key)
    return changed_at is None or changed_at <= known.finished_at


def _lacks_samples(task: PlannedTask, known: TaskResult) -> bool:
    if known.n_total is None:
        return False
    wanted = known.n_total if task.limit is None else min(known.n_total, task.limit)
    return known.n_samples < wanted
