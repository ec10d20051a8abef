"""Converts the filters of a link or a request into criteria for samples."""

from __future__ import annotations

from typing import Literal, Protocol

from llmeval_core.api import SampleCriteria
from llmeval_core.hooks import Outcome

SampleFilter = Literal["all", "failed", "wrong"]


class AskedSamples(Protocol):
    """Which samples a link or a request asks for; see `SampleCriteria`."""

    @property
    def model(self) -> str:
        """The model's name."""

    @property
    def task(self) -> str:
        """The task's key."""

    @property
    def metric(self) -> str | None:
        """The metric that is looked at; None for all."""

    @property
    def category(self) -> str | None:
        """The category; None for all."""

    @property
    def show(self) -> SampleFilter:
        """All samples, or only those that failed, or that a metric calls wrong."""

    @property
    def outcome(self) -> Outcome | None:
        """How they ended; None for however."""


def sample_criteria(asked: AskedSamples) -> SampleCriteria:
    """Return the criteria; see `SampleCriteria`."""
    return SampleCriteria(
        asked.task,
        asked.model,
        metric=asked.metric,
        category=asked.category,
        outcomes=frozenset() if asked.outcome is None else frozenset({asked.outcome}),
        failed=asked.show == "failed",
        wrong=asked.show == "wrong",
    )
