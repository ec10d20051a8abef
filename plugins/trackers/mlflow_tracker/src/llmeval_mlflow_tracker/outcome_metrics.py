"""Metrics of how samples ended, if the settings ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from llmeval_core.hooks import OUTCOMES, TaskResult

OutcomeMetrics = Literal["none", "unanswered", "all"]


def outcome_metrics(result: TaskResult, wanted: OutcomeMetrics) -> Iterator[tuple[str, float]]:
    """Stream `{task}_n`, `{task}_unanswered`, and for `all` a share for each way to end.

    Shares run from 0 to 1. They are logged also if they are 0, so that none is left from an older
    result. A result of a version that did not count outcomes has only `{task}_n`.
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
