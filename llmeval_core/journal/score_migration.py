"""The scores of journals before version 4: a table with a row each becomes one row a sample."""

from __future__ import annotations

import itertools
import json
import logging
import sqlite3
from collections.abc import Iterator
from operator import itemgetter

from llmeval_core.journal.scores import ScoreRow, score_row
from llmeval_core.records import Score

_log = logging.getLogger("llmeval")

_ROWS_AT_ONCE = 1000
_MANY_SCORES = 200_000
"""So many take seconds, and the user is told."""


def migrate_scores(connection: sqlite3.Connection) -> None:
    """Rewrite the scores, and drop the old table.

    An older llmeval that is still at work then fails, and writes nothing wrong.
    """
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
        connection.executemany("INSERT INTO sample_scores VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


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
