"""How many samples a task has and what share of them was not answered, as metrics by setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from llmeval_core.hooks import OUTCOMES, TaskResult

OutcomeMetrics = Literal["none", "unanswered", "all"]


def outcome_metrics(result: TaskResult, wanted: OutcomeMetrics) -> Iterator[tuple[str, float]]:
    """Stream `{task}_n`, `{task}_unanswered`, and for `all` a share for each way to end.

    Shares run from 0 to 1 and are there when they are 0 too, so that none stays from an older
    result. A result of a version that did not count has only `{task}_n`.
    """
    if wanted == "none":
        return
    n = result.n_samples
    yield f"{result.task}_n", float(n)
    if not result.outcomes or not n:
        return
    yield f"{result.task}_unanswered", 1 - result.outcomes.get("answered", 0) / n
    for outcome in OUTCOMES if wanted == "all" else ():
        if outcome != "answered":
            yield f"{result.task}_{outcome}", result.outcomes.get(outcome, 0) / n
