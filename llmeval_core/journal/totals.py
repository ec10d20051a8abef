"""Sums over the samples of a task."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from llmeval_core.journal.row_mapping import known_count
from llmeval_core.journal.selecting import named_rows
from llmeval_core.records import OUTCOMES, Outcome


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """Sums over a task's samples; tokens are None if no answer told them.

    Args:
        outcomes: how many samples ended how, in the order of `OUTCOMES`.
        not_sent: generation settings that some request went without, because the model refuses
            them; sorted.
    """

    n_samples: int
    n_failed: int
    n_prompt_tokens: int | None
    n_completion_tokens: int | None
    n_reasoning_tokens: int | None
    outcomes: dict[Outcome, int]
    not_sent: tuple[str, ...] = ()


def totals(connection: sqlite3.Connection, task_id: int) -> TaskTotals:
    """Sum up a task."""
    sums = named_rows(
        connection,
        "SELECT count(*) AS n_samples,"  # noqa: S608  columns
        " coalesce(sum(failure_kind IS NOT NULL), 0) AS n_failed,"
        f" sum({known_count('n_prompt_tokens')}) AS n_prompt_tokens,"
        f" sum({known_count('n_completion_tokens')}) AS n_completion_tokens,"
        f" sum({known_count('n_reasoning_tokens')}) AS n_reasoning_tokens,"
        " group_concat(DISTINCT not_sent) AS not_sent FROM samples"
        " LEFT JOIN generations ON fingerprint = generation WHERE task = ?",
        (task_id,),
    ).fetchone()
    ended = dict(
        connection.execute(
            "SELECT outcome, count(*) FROM samples WHERE task = ? GROUP BY outcome", (task_id,)
        ).fetchall()
    )
    outcomes = {outcome: ended[outcome] for outcome in OUTCOMES if outcome in ended}
    not_sent = sums["not_sent"]
    return TaskTotals(
        sums["n_samples"],
        sums["n_failed"],
        sums["n_prompt_tokens"],
        sums["n_completion_tokens"],
        sums["n_reasoning_tokens"],
        outcomes,
        tuple(sorted(set(not_sent.split(",")))) if not_sent else (),
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
