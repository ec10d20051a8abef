"""Rounds of asking again: when each began, and what a new answer puts out of date."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from llmeval_core.journal import row_mapping
from llmeval_core.records import Outcome


class SampleEnd(NamedTuple):
    """How a sample of a task ended.

    Args:
        outcome: in one word.
        is_failed: whether it has no score.
        answered_at: when its answer came, seconds since 1970; None if there is none.
    """

    outcome: Outcome
    is_failed: bool
    answered_at: float | None


class ReaskRounds:
    """Queries over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def begin(self, cache_key: str, name: str, *, at: float, anew: bool) -> float:
        """Begin a round, or find it; return when it began.

        Args:
            cache_key: of the tasks whose requests are asked again.
            name: what is asked again, in one text.
            at: when it begins if it is new.
            anew: whether it begins once more if it is there.
        """
        for table in ("samples", "turns"):
            self._connection.execute(
                f"CREATE INDEX IF NOT EXISTS {table}_by_generation ON {table} (generation)"
            )
        conflict = "UPDATE SET begun_at = excluded.begun_at" if anew else "NOTHING"
        self._connection.execute(
            f"INSERT INTO rounds VALUES (?, ?, ?, NULL) ON CONFLICT (requests, name) DO {conflict}",  # noqa: S608
            (cache_key, name, at),
        )
        (begun_at,) = self._connection.execute(
            "SELECT begun_at FROM rounds WHERE requests = ? AND name = ?", (cache_key, name)
        ).fetchone()
        return float(begun_at)

    def changed_at(self, cache_key: str) -> float | None:
        """Say when an answer of such tasks was last replaced; None if none ever was."""
        (at,) = self._connection.execute(
            "SELECT max(changed_at) FROM rounds WHERE requests = ?", (cache_key,)
        ).fetchone()
        return None if at is None else float(at)

    def sample_ends(self, task_id: int, first: int, last: int) -> dict[int, SampleEnd]:
        """Say how the samples of a range (both ends in it) ended, by their places."""
        found = self._connection.execute(
            "SELECT idx, outcome, failure_kind IS NOT NULL, finished_at FROM samples"
            " LEFT JOIN generations ON fingerprint = generation"
            " WHERE task = ? AND idx BETWEEN ? AND ?",
            (task_id, first, last),
        )
        return {index: SampleEnd(outcome, bool(failed), at) for index, outcome, failed, at in found}

    def answered_at(self, fingerprints: Iterable[str]) -> dict[str, float]:
        """Say when requests were answered, of a few hundred at most; only of those that were."""
        wanted = [bytes.fromhex(fingerprint) for fingerprint in fingerprints]
        marks = ",".join("?" * len(wanted))
        found = self._connection.execute(
            f"SELECT fingerprint, finished_at FROM generations WHERE fingerprint IN ({marks})",  # noqa: S608
            wanted,
        )
        return {fingerprint.hex(): at for fingerprint, at in found}


def replace_answers(connection: sqlite3.Connection, replaced: Iterable[row_mapping.Row]) -> None:
    """Put new answers in the place of old ones, in the caller's transaction.

    What any sample of any task made of an old answer goes: it is scored with the new one when its
    task is run again, or before its task ends. Results stay, as what was measured then.

    Args:
        connection: of the journal.
        replaced: the rows of the new answers.
    """
    for row in replaced:
        marks = ",".join("?" * len(row))
        connection.execute(
            f"{row_mapping.INSERT_GENERATIONS} VALUES ({marks}){row_mapping.REPLACE_ANSWER}", row
        )
        made_of_it = connection.execute(
            "SELECT task, idx FROM samples WHERE generation = ?"
            " UNION SELECT task, idx FROM turns WHERE generation = ?",
            (row[0], row[0]),
        ).fetchall()
        for table in ("samples", "sample_scores", "turns"):
            connection.executemany(
                f"DELETE FROM {table} WHERE task = ? AND idx = ?",  # noqa: S608  literals
                made_of_it,
            )
        for task_id in {task_id for task_id, _ in made_of_it}:
            connection.execute(_CHANGED, {"task": task_id, "now": time.time()})


_ELSEWHERE = ""
_CHANGED = (
    f"INSERT INTO rounds SELECT requests, '{_ELSEWHERE}', :now, :now FROM tasks"  # noqa: S608
    " WHERE id = :task AND requests IS NOT NULL"
    " ON CONFLICT (requests, name) DO UPDATE SET changed_at = excluded.changed_at"
)
"""Note for all tasks that ask the same that an answer changed; no round has an empty name."""
