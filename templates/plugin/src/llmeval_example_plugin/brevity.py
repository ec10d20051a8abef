"""A metric: how short is the answer?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field

from llmeval_core.hooks import (
    Aggregate,
    Component,
    Generation,
    Metric,
    Sample,
    Score,
    Settings,
    hookimpl,
    mean_aggregate,
)


class BrevitySettings(Settings):
    """What a user can set."""

    enough: int = Field(default=10, ge=1, description="Answers up to so many words score 1.")


class Brevity:
    """1 up to `enough` words, then `enough` divided by the number of words. Our own definition."""

    higher_is_better = True

    def __init__(self, settings: BrevitySettings) -> None:
        self.definition = f"brevity@{settings.enough}"
        self._enough = settings.enough

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Score one answer; the sample does not matter."""
        n_words = len(generation.text.split())
        return Score(1.0 if n_words <= self._enough else self._enough / n_words)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples."""
        return mean_aggregate(scores)


@hookimpl
def llmeval_register_metrics() -> Iterable[Component[Any, Metric]]:
    """Offer the metric; Any: its settings."""
    yield Component(
        "brevity", BrevitySettings, Brevity, "short answers are better", argument="enough"
    )
