"""The result of an earlier run, where it still is what this run would give."""

from __future__ import annotations

import time
import uuid

from llmeval_core.completeness import gives_way
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.plan import PlannedTask
from llmeval_core.records import TaskResult


def known_result(journal: Journal, task: PlannedTask, *, replace: bool) -> TaskResult | None:
    """Find the result of an earlier, complete run of this very task; blocking.

    If another result stands under the same key, and this one need not give way to it, it counts
    as a new result, so that trackers show again what was asked for last.

    Args:
        journal: where it is.
        task: of which task.
        replace: whether it takes the place of a more complete result.
    """
    known = journal.read(JournalQueries.result_of, task.fingerprint)
    if known is None or known.n_failed or _is_out_of_date(journal, task, known):
        return None
    shown = journal.read(JournalQueries.current_result, known.model, known.task)
    if shown is None or shown.id == known.id:
        return known
    again = {"id": uuid.uuid4().hex, "finished_at": time.time(), "replaces": replace}
    renewed = known.model_copy(update=again)
    return known if gives_way(renewed, shown) else renewed


def _is_out_of_date(journal: Journal, task: PlannedTask, known: TaskResult) -> bool:
    """Whether answers that a result is of were asked again since."""
    changed_at = journal.read(lambda reader: reader.rounds.changed_at(task.cache_key))
    return changed_at is not None and changed_at > known.finished_at
