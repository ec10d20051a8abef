"""What earlier answers of a model used, for estimates."""

from __future__ import annotations

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
    """

    n: int
    n_prompt_tokens: float | None
    n_completion_tokens: float | None
    latency_s: float
    n_reasoning_tokens: float | None = None


def usage(connection: sqlite3.Connection, model: str, key: str | None) -> ModelUsage | None:
    """Average up to a thousand answers of a model to one task, or to all; None if there is none."""
    (found,) = read_records(
        connection,
        ModelUsage,
        "SELECT count(*) AS n,"  # noqa: S608  columns
        f" avg({known_count('n_prompt_tokens')}) AS n_prompt_tokens,"
        f" avg({known_count('n_completion_tokens')}) AS n_completion_tokens,"
        " avg(latency_s) AS latency_s,"
        f" avg({known_count('n_reasoning_tokens')}) AS n_reasoning_tokens FROM"
        " (SELECT n_prompt_tokens, n_completion_tokens, latency_s, n_reasoning_tokens FROM tasks"
        "  JOIN samples ON samples.task = tasks.id"
        "  JOIN generations ON generations.fingerprint = generation"
        "  WHERE tasks.model = ? AND (? IS NULL OR tasks.key = ?) ORDER BY tasks.id DESC LIMIT ?)",
        (model, key, key, _MOST_READ),
    )
    return found if found.n else None
