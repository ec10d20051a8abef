"""Where results go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from llmeval_core.naming import Json
from llmeval_core.records import SampleResult, TaskResult


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a tracker is told when it opens.

    Args:
        tracker: the name under which it is configured in this run.
        home: the project's folder for llmeval's own files; a tracker may keep files there.
        plan: gives the plan that a result comes from, as `llmeval plan --json` prints it; empty
            if it is not known. Reads the journal; call it from a thread.
        samples: gives the sample results of a task result, in sample order, streamed from
            the journal; call it from a thread.
    """

    tracker: str
    home: Path
    plan: Callable[[TaskResult], Mapping[str, Json]]
    samples: Callable[[TaskResult], Iterable[SampleResult]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a tracker holds a result.

    Args:
        location: where a person can see it (URL or path); None if there is no such place.
        note: what the user should know (a value that could not be logged); None if nothing.
    """

    location: str | None = None
    note: str | None = None


@runtime_checkable
class Tracker(Protocol):
    """A result sink. It sees finished tasks only and never slows the engine.

    It gets only what stands in the journal: metrics of a result that give way to those of a more
    complete one (`hooks.gives_way`) are taken out of it, and a result without metrics left is not
    delivered. One that writes to a place where results of other journals stand too asks
    `gives_way` of what is there.

    It may have a `title`, such as `MLflow`, by which logs call it, and `keeps_all = True` if it
    adds results one after the other, so that none takes another's place: it then gets all.
    """

    async def open(self, run: RunInfo) -> None:
        """Get ready; blocking work belongs in a thread.

        Raises:
            TrackerError: it cannot take results now; they stay pending.
        """

    async def deliver(self, result: TaskResult) -> Receipt:
        """Take one result; the same `result.id` again changes nothing.

        Raises:
            TrackerError: it did not take it; tried again later unless `permanent`.
        """

    async def close(self) -> None:
        """Free what it holds; called once, also after a failed `open`."""
