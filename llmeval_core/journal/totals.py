"""Sums over the samples of a task."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from llmeval_core.journal.row_mapping import known_count
from llmeval_core.journal.scores import NOT_SCORED
from llmeval_core.journal.selecting import named_rows
from llmeval_core.records import OUTCOMES, Outcome


@dataclass(frozen=True, slots=True)
class RoleTotals:
    """Sums over what was asked of one role; tokens are None if no answer told them.

    Args:
        n_requests: requests, one that several samples share counted for each.
        not_sent: generation settings that some request went without, because the model refuses
            them; sorted.
        served_by: who answered, in the servers' own words; sorted.
    """

    n_requests: int = 0
    n_prompt_tokens: int | None = None
    n_completion_tokens: int | None = None
    n_reasoning_tokens: int | None = None
    not_sent: tuple[str, ...] = ()
    served_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """Sums over a task's samples.

    Args:
        n_samples: samples that ended; `n_failed` of them lack a score, of one metric or of all.
        n_scored: samples that some metric scored.
        outcomes: how many samples ended how, in the order of `OUTCOMES`.
        model: what was asked of the evaluated model.
        others: what was asked of others, by role.
    """

    n_samples: int
    n_failed: int
    n_scored: int
    outcomes: dict[Outcome, int]
    model: RoleTotals
    others: dict[str, RoleTotals]


_OF_SAMPLES = "SELECT 'model' AS role, generation FROM samples WHERE task = :task"
_OF_TURNS = (
    f"{_OF_SAMPLES} AND NOT EXISTS"  # noqa: S608  a text of ours
    " (SELECT 1 FROM turns WHERE turns.task = samples.task AND turns.idx = samples.idx)"
    " UNION ALL SELECT role, generation FROM turns WHERE task = :task"
)


def totals(connection: sqlite3.Connection, task_id: int) -> TaskTotals:
    """Sum up a task."""
    task = {"task": task_id}
    n_samples, n_failed = connection.execute(
        "SELECT count(*), coalesce(sum(failure_kind IS NOT NULL), 0) FROM samples"
        " WHERE task = :task",
        task,
    ).fetchone()
    (n_scored,) = connection.execute(
        "SELECT count(*) FROM sample_scores WHERE task = :task", task
    ).fetchone()
    has_turns = connection.execute("SELECT 1 FROM turns WHERE task = :task LIMIT 1", task)
    asked = _OF_TURNS if has_turns.fetchone() else _OF_SAMPLES
    sums = named_rows(
        connection,
        "SELECT role, count(fingerprint) AS n_requests,"  # noqa: S608  columns
        f" sum({known_count('n_prompt_tokens')}) AS n_prompt_tokens,"
        f" sum({known_count('n_completion_tokens')}) AS n_completion_tokens,"
        f" sum({known_count('n_reasoning_tokens')}) AS n_reasoning_tokens,"
        " group_concat(DISTINCT not_sent) AS not_sent,"
        " json_group_array(DISTINCT served_by) FILTER (WHERE typeof(served_by) = 'text')"
        f" AS served_by FROM ({asked})"
        " LEFT JOIN generations ON fingerprint = generation GROUP BY role ORDER BY role",
        task,
    ).fetchall()
    roles = {
        row["role"]: RoleTotals(
            row["n_requests"],
            row["n_prompt_tokens"],
            row["n_completion_tokens"],
            row["n_reasoning_tokens"],
            tuple(sorted(set(row["not_sent"].split(",")))) if row["not_sent"] else (),
            tuple(sorted(json.loads(row["served_by"]))),
        )
        for row in sums
    }
    ended = dict(
        connection.execute(
            "SELECT outcome, count(*) FROM samples WHERE task = ? GROUP BY outcome", (task_id,)
        ).fetchall()
    )
    return TaskTotals(
        n_samples,
        n_failed,
        n_scored,
        {outcome: ended[outcome] for outcome in OUTCOMES if outcome in ended},
        model=roles.pop("model", RoleTotals()),
        others=roles,
    )


def outcome_counts(
    connection: sqlite3.Connection, task_id: int, outcome: Outcome
) -> dict[str | None, int]:
    """Count the samples that ended in one way: all under None, and those of each category."""
    found: dict[str | None, int] = dict(
        connection.execute(
            "SELECT category, count(*) FROM samples INDEXED BY samples_by_outcome"
            " WHERE outcome != 'answered' AND task = ? AND outcome = ? GROUP BY category",
            (task_id, outcome),
        ).fetchall()
    )
    found[None] = sum(found.values())
    return found


def n_without_score(
    connection: sqlite3.Connection, task_id: int, position: int, *, without: Outcome | None = None
) -> dict[str | None, int]:
    """Count the samples that a metric could not score: all under None, and those of each category.

    Args:
        connection: of the journal.
        task_id: the task's row.
        position: the metric's place among the task's metrics.
        without: samples that ended so are not counted; None for all.
    """
    found: dict[str | None, int] = dict(
        connection.execute(
            "SELECT category, count(*) FROM samples INDEXED BY failed_samples"
            " LEFT JOIN sample_scores USING (task, idx)"
            " WHERE task = :task AND failure_kind IS NOT NULL AND outcome IS NOT :without"
            " AND (grades IS NULL OR substr(grades, :place, 1) = :mark) GROUP BY category",
            {"task": task_id, "place": position + 1, "mark": NOT_SCORED, "without": without},
        ).fetchall()
    )
    found[None] = sum(found.values())
    return found
