"""Converts the filters of a link or a request into criteria for samples."""

from __future__ import annotations

from typing import Literal

from llmeval_core.api import SampleCriteria
from llmeval_core.hooks import Outcome

SampleFilter = Literal["all", "failed", "wrong"]


def sample_criteria(
    model: str,
    task: str,
    *,
    metric: str | None,
    category: str | None,
    show: SampleFilter = "all",
    outcome: Outcome | None = None,
) -> SampleCriteria:
    """Return the criteria; see `SampleCriteria`."""
    return SampleCriteria(
        task,
        model,
        metric=metric,
        category=category,
        outcomes=frozenset() if outcome is None else frozenset({outcome}),
        failed=show == "failed",
        wrong=show == "wrong",
    )
