"""What older journals lack or have in another form: columns, and scores in rows of their own."""

from __future__ import annotations

import itertools
import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from operator import itemgetter

from llmeval_core.journal.scores import ScoreRow, score_row
from llmeval_core.records import Score

_log = logging.getLogger("llmeval")

_ROWS_AT_ONCE = 1000
_MANY_SCORES = 200_000
"""So many take seconds, and the user is told."""

_NEW_COLUMNS = (
    ("tasks", "metrics", "TEXT NOT NULL DEFAULT '[]'"),
    ("tasks", "requests", "TEXT"),
    ("generations", "stop_reasons", "TEXT"),
    ("generations", "reasonings", "TEXT"),
    ("generations", "n_reasoning_tokens", "INTEGER"),
    ("generations", "refusal", "TEXT"),
    ("generations", "not_sent", "TEXT"),
    ("samples", "outcome", "TEXT NOT NULL DEFAULT 'answered'"),
    ("samples", "messages", "TEXT"),
)
"""What tables did not have at first, in the order in which it came."""
_NEWEST_TABLE = "rounds"
_OUTCOMES = (
    "UPDATE samples SET outcome = CASE failure_kind WHEN 'metric' THEN 'unscored' ELSE 'failed' END"
    " WHERE failure_kind IS NOT NULL",
    "UPDATE samples SET outcome = CASE lower(finish_reason) WHEN 'content_filter' THEN 'filtered'"
    " WHEN 'refusal' THEN 'refused' ELSE 'truncated' END FROM generations"
    " WHERE generations.fingerprint = samples.generation AND failure_kind IS NULL"
    " AND mode != 'loglikelihood'"
    " AND lower(finish_reason) IN ('length', 'max_tokens', 'content_filter', 'refusal')",
)
"""What older versions knew of it: the server's word for why the first answer ended."""


@contextmanager
def migrated(connection: sqlite3.Connection, version: int) -> Iterator[None]:
    """Bring an older journal up to date, around the block that makes the tables that are missing.

    All in the caller's transaction: a process that dies meanwhile leaves the old journal. Until
    version 3 scores were in a table of their own, a row each; it goes, so that an older llmeval
    that is still at work fails and writes nothing wrong. (One of version 4 fails too: its rows
    have too few columns.) Since version 5 each sample has an outcome.
    """
    if not version:
        yield
        return
    for table, column, kind in _lacking(connection):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
    yield
    if version < 4:
        _migrate_scores(connection)
    for statement in _OUTCOMES if version < 5 else ():
        connection.execute(statement)


def is_complete(connection: sqlite3.Connection) -> bool:
    """Whether a journal has all tables and columns, whatever version it says it is of.

    One that was written between two releases may lack some.
    """
    (n_found,) = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE name = ?", (_NEWEST_TABLE,)
    ).fetchone()
    return bool(n_found) and not _lacking(connection)


def _lacking(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    found = {
        (table, name)
        for table in sorted({table for table, _, _ in _NEW_COLUMNS})
        for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    return [one for one in _NEW_COLUMNS if one[:2] not in found]


def _migrate_scores(connection: sqlite3.Connection) -> None:
    (n_scores,) = connection.execute("SELECT count(*) FROM scores").fetchone()
    if n_scores > _MANY_SCORES:
        _log.warning("the journal is of an older version; %d scores are rewritten once", n_scores)
    tasks = connection.execute("SELECT DISTINCT task FROM scores").fetchall()
    for (task_id,) in tasks:
        _migrate_task(connection, task_id)
    connection.execute("DROP TABLE scores")


def _migrate_task(connection: sqlite3.Connection, task_id: int) -> None:
    metrics = [
        name
        for (name,) in connection.execute(
            "SELECT DISTINCT metric FROM scores WHERE task = ? ORDER BY metric",
            (task_id,),
        )
    ]
    connection.execute("UPDATE tasks SET metrics = ? WHERE id = ?", (json.dumps(metrics), task_id))
    found = _new_rows(connection, task_id, metrics)
    while rows := list(itertools.islice(found, _ROWS_AT_ONCE)):
        connection.executemany("INSERT INTO sample_scores VALUES (?, ?, ?, ?, ?, ?)", rows)


def _new_rows(
    connection: sqlite3.Connection, task_id: int, metrics: list[str]
) -> Iterator[ScoreRow]:
    found = connection.execute(
        "SELECT idx, metric, value, parsed, parts FROM scores WHERE task = ? ORDER BY idx, metric",
        (task_id,),
    )
    for index, scores in itertools.groupby(found, key=itemgetter(0)):
        by_name = dict.fromkeys(metrics, Score(None)) | {
            metric: Score(value, parsed, tuple(json.loads(parts)) if parts else ())
            for _, metric, value, parsed, parts in scores
        }
        yield score_row(task_id, index, metrics, by_name)
