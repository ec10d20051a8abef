"""How a job is shown while it goes on: a bar for each task on a terminal, plain lines elsewhere."""

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
_LEAST_LABEL_WIDTH = 16


class View(Protocol):
    """Shows a job; use it as a context manager."""

    def __enter__(self) -> View: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show_job(self, job: Job) -> None:
        """Show that the job's state has changed."""

    def show_progress(self, progress: JobProgress) -> None:
        """Show how far its tasks are."""


def make_view(screen: Console, *, quiet: bool) -> View:
    """Make the view that fits: none, bars or lines."""
    if quiet:
        return SilentView()
    return LiveView(screen) if screen.is_terminal else PlainView(screen)


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
    """Writes a line at each change of state, and one of each task every few seconds."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._last = 0.0
        self._finished: set[str] = set()

    def show_job(self, job: Job) -> None:
        """Write the state."""
        self._write(f"job {job.id} ({job.name}): {job.state}")

    def show_progress(self, progress: JobProgress) -> None:
        """Write about the tasks that are under way, and once about each finished one."""
        is_time = time.monotonic() - self._last >= PLAIN_EVERY_S
        for task in progress.tasks:
            label = _label(task)
            is_news = task.state == "finished" and label not in self._finished
            if is_news or (is_time and task.state in ("opening", "running")):
                self._write(f"{label}: {details(task)}")
            if is_news:
                self._finished.add(label)
        if is_time:
            self._last = time.monotonic()

    def _write(self, text: str) -> None:
        self._screen.print(shown(text), highlight=False, markup=False, soft_wrap=True)


class LiveView(SilentView):
    """Shows a bar for each task."""

    def __init__(self, screen: Console) -> None:
        self._screen = screen
        self._rows: dict[str, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[details]}", markup=False),
            console=screen,
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
        """Leave the bars where they are."""
        self._bars.stop()

    def show_job(self, job: Job) -> None:
        """Write the state above the bars."""
        text = shown(f"job {job.id} ({job.name}): {job.state}")
        self._bars.console.print(text, markup=False, highlight=False)

    def show_progress(self, progress: JobProgress) -> None:
        """Move the bars."""
        for task in progress.tasks:
            label = _label(task)
            if label not in self._rows:
                width = max(self._screen.width - _DETAILS_WIDTH, _LEAST_LABEL_WIDTH)
                text = label if len(label) <= width else "…" + label[1 - width :]
                self._rows[label] = self._bars.add_task(shown(text), total=None, details="")
            self._bars.update(
                self._rows[label],
                total=task.n_samples if task.n_samples is not None else None,
                completed=task.n_done,
                details=details(task),
            )


def details(task: TaskProgress) -> str:
    """Say in one line how far a task is."""
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
