"""Who is told what happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from llmeval_core.naming import Json
from llmeval_core.records import RunSummary, TaskResult


@runtime_checkable
class Observer(Protocol):
    """Is told what happens; cannot change it. An error in it is logged and forgotten."""

    def before_run(self, plan: Mapping[str, Json]) -> None:
        """Called once before anything is sent, with what `llmeval plan --json` prints."""

    def after_task(self, result: TaskResult) -> None:
        """Called for each finished task, after it is durable."""

    def after_run(self, summary: RunSummary) -> None:
        """Called once at the end, also after an interruption."""
