"""Shows a running job: a bar for each task on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from llmeval_core.api import shown
from llmeval_server.jobs.job_records import Job, JobProgress, TaskProgress

PLAIN_EVERY_S = 5.0
_DETAILS_WIDTH = 76
_MIN_LABEL_WIDTH = 16


class JobView(Protocol):
    """Shows a running job; a context manager."""

    def __enter__(self) -> JobView: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show_job(self, job: Job) -> None:
        """Show a change of the job's state."""

    def show_progress(self, progress: JobProgress) -> None:
        """Show the progress of its tasks."""


def make_view(console: Console, *, quiet: bool) -> JobView:
    """Make the view that fits the console: none, bars or lines."""
    if quiet:
        return SilentView()
    return LiveView(console) if console.is_terminal else PlainView(console)


class SilentView:
    """Shows nothing."""

    def __enter__(self) -> SilentView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the view."""

    def show_job(self, job: Job) -> None:
        """Show nothing."""

    def show_progress(self, progress: JobProgress) -> None:
        """Show nothing."""


class PlainView(SilentView):
    """Prints a line at each change of state, and one for each task every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = 0.0
        self._finished: set[str] = set()

    def show_job(self, job: Job) -> None:
        """Print the state."""
        self._print(f"job {job.id} ({job.name}): {job.state}")

    def show_progress(self, progress: JobProgress) -> None:
        """Print running tasks, and each finished one once."""
        is_due = time.monotonic() - self._last >= PLAIN_EVERY_S
        for task in progress.tasks:
            label = _label(task)
            is_new = task.state == "finished" and label not in self._finished
            if is_new or (is_due and task.state in ("opening", "running")):
                self._print(f"{label}: {details(task)}")
            if is_new:
                self._finished.add(label)
        if is_due:
            self._last = time.monotonic()

    def _print(self, text: str) -> None:
        self._console.print(shown(text), highlight=False, markup=False, soft_wrap=True)


class LiveView(SilentView):
    """Shows a bar for each task."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[details]}", markup=False),
            console=console,
        )

    def __enter__(self) -> LiveView:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop updating the bars."""
        self._bars.stop()

    def show_job(self, job: Job) -> None:
        """Print the state above the bars."""
        text = shown(f"job {job.id} ({job.name}): {job.state}")
        self._bars.console.print(text, markup=False, highlight=False)

    def show_progress(self, progress: JobProgress) -> None:
        """Update the bars."""
        for task in progress.tasks:
            label = _label(task)
            if label not in self._rows:
                width = max(self._console.width - _DETAILS_WIDTH, _MIN_LABEL_WIDTH)
                text = label if len(label) <= width else "…" + label[1 - width :]
                self._rows[label] = self._bars.add_task(shown(text), total=None, details="")
            self._bars.update(
                self._rows[label],
                total=task.n_samples if task.n_samples is not None else None,
                completed=task.n_done,
                details=details(task),
            )


def details(task: TaskProgress) -> str:
    """Describe the progress of a task in one line."""
    if task.state == "waiting":
        return "waiting"
    if task.state == "opening":
        return "opening the model ..."
    total = f"/{task.n_samples}" if task.n_samples is not None else ""
    parts = [f"{task.n_done}{total}"]
    if task.state == "running":
        parts.append(f"{task.samples_per_s:.1f}/s")
    if task.seconds_left is not None and task.state == "running":
        minutes, seconds = divmod(round(task.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02} left")
    if task.n_failed:
        parts.append(f"{task.n_failed} failed")
    if task.n_tokens:
        parts.append(f"{task.n_tokens:,} tokens")
    if task.n_under_way:
        parts.append(f"{task.n_under_way} under way")
    return " · ".join(parts)


def _label(task: TaskProgress) -> str:
    return f"{task.model} {task.task}"
