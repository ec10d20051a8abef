"""What earlier answers of a model used, for estimates."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from llmeval_core.journal.row_mapping import known_count
from llmeval_core.journal.selecting import read_records

_MOST_READ = 1000


@dataclass(frozen=True, slots=True)
class ModelUsage:
    """Means over some earlier answers.

    Args:
        n: how many answers.
        n_prompt_tokens, n_completion_tokens: means a request; None if no server told.
        latency_s: mean time of an answer, seconds.
        n_reasoning_tokens: mean of the completion tokens that are reasoning; None if no server
            told.
        busy_s: how long at least one of them was under way, seconds; divided by `n`, it is how
            much time an answer took with as many at once as there were then.
    """

    n: int
    n_prompt_tokens: float | None
    n_completion_tokens: float | None
    latency_s: float
    n_reasoning_tokens: float | None = None
    busy_s: float = 0.0


def usage(connection: sqlite3.Connection, model: str, key: str | None) -> ModelUsage | None:
    """Average up to a thousand answers of a model to one task, or to all; None if there is none.

    Those of the newest tasks, which are found first: no others are looked at.
    """
    tasks = _newest_tasks(connection, model, key)
    if not tasks:
        return None
    (found,) = read_records(
        connection,
        ModelUsage,
        "SELECT count(*) AS n,"  # noqa: S608  columns
        f" avg({known_count('n_prompt_tokens')}) AS n_prompt_tokens,"
        f" avg({known_count('n_completion_tokens')}) AS n_completion_tokens,"
        " avg(latency_s) AS latency_s,"
        f" avg({known_count('n_reasoning_tokens')}) AS n_reasoning_tokens,"
        " sum(max(0, finished_at - max(begun_at, coalesce(before, begun_at)))) AS busy_s FROM"
        " (SELECT *, max(finished_at) OVER"
        "  (ORDER BY begun_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM"
        "   (SELECT n_prompt_tokens, n_completion_tokens, latency_s, n_reasoning_tokens,"
        "    finished_at, finished_at - latency_s AS begun_at FROM samples"
        "    JOIN generations ON generations.fingerprint = generation"
        "    WHERE task IN (SELECT value FROM json_each(?)) ORDER BY task DESC LIMIT ?))",
        (json.dumps(tasks), _MOST_READ),
    )
    return found if found.n else None


def _newest_tasks(connection: sqlite3.Connection, model: str, key: str | None) -> list[int]:
    """Name the newest tasks that have as many answers as are read, or all there are."""
    of_key = "" if key is None else "AND key = ?"
    found = connection.execute(
        f"SELECT id FROM tasks WHERE model = ? {of_key} ORDER BY id DESC",  # noqa: S608  ours
        (model,) if key is None else (model, key),
    ).fetchall()
    tasks: list[int] = []
    n_left = _MOST_READ
    for (task,) in found:
        if n_left <= 0:
            break
        (n_answers,) = connection.execute(
            "SELECT count(*) FROM (SELECT 1 FROM samples"
            " WHERE task = ? AND generation IS NOT NULL LIMIT ?)",
            (task, n_left),
        ).fetchone()
        if n_answers:
            tasks.append(task)
            n_left -= n_answers
    return tasks
