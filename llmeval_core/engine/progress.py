"""How a run goes on: what the engine reports, and to whom."""

from __future__ import annotations

from typing import Protocol

from llmeval_core.records import SampleResult, TaskResult


class TaskMeter(Protocol):
    """Shows how one task goes on; called from the event loop, must return at once."""

    def samples_skipped(self, n: int) -> None:
        """Samples that an earlier run finished, scores and all."""

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """One sample ended; `n_under_way` requests of this task are with the model."""

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """The task has its result; `reused` if the journal had it already."""


class Progress(Protocol):
    """Shows how a run goes on; called from the event loop, must return at once.

    Tasks may be under way side by side; each has a meter of its own. A class that inherits from
    this one overrides what it needs.
    """

    def model_opening(self, model: str) -> None:
        """The model is made ready: fetched, loaded, connected to; this may take a while."""
        return

    def waiting(self, model: str, task: str) -> None:
        """Another process works on the same requests; we go on when it is done."""
        return

    def message(self, text: str) -> None:
        """One line that people should read: a server is down, or is back."""
        return

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """A task begins; `n_samples` is None if unknown. Nobody is told of it unless overridden."""
        return SilentMeter()


class SilentProgress:
    """Shows nothing."""

    def model_opening(self, model: str) -> None:
        """Show nothing."""

    def waiting(self, model: str, task: str) -> None:
        """Show nothing."""

    def message(self, text: str) -> None:
        """Show nothing."""

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """Show nothing of this task either."""
        return SilentMeter()


class SilentMeter:
    """Shows nothing of a task."""

    def samples_skipped(self, n: int) -> None:
        """Show nothing."""

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Show nothing."""

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """Show nothing."""
