"""How a run is shown while it goes on: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.cells import cell_len
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
)

from llmeval_core.api.notes_on_outcomes import counts_text
from llmeval_core.printable import shown, with_count
from llmeval_core.records import Generation, SampleResult, TaskResult

PLAIN_EVERY_S = 5.0
"""Seconds between two plain lines."""
LIVE_EVERY_S = 0.1
"""Seconds between two updates of the live line."""
_BAR_WIDTH = 10
_DETAILS_WIDTH = 64
"""Cells for counts, pace, time, failures, tokens and concurrency."""
_LEAST_WIDTH_WITH_BAR = 100
_LEAST_LABEL_WIDTH = 16


@dataclass(slots=True)
class TaskCounts:
    """What has happened in a task so far."""

    label: str = ""
    total: int | None = None
    done: int = 0
    failed: int = 0
    n_tokens: int = 0
    n_under_way: int = 0
    n_asked: int = 0
    n_skipped: int = 0
    started: float = field(default_factory=time.monotonic)

    def add(self, result: SampleResult, n_under_way: int) -> None:
        """Count one finished sample."""
        self.done += 1
        self.failed += result.failure is not None
        self.n_under_way = n_under_way
        if result.generation is not None and not result.from_journal:
            self.n_asked += 1
        if not result.from_journal:
            for answer in _answers(result):
                self.n_tokens += answer.n_prompt_tokens or 0
                self.n_tokens += answer.n_completion_tokens or 0

    def skip(self, n: int) -> None:
        """Count samples that were finished before this run; they say nothing of its pace."""
        self.done += n
        self.n_skipped += n

    @property
    def rate(self) -> float:
        """Samples finished in this run, a second."""
        return (self.done - self.n_skipped) / max(time.monotonic() - self.started, 1e-9)

    def details(self, width: int | None = None) -> str:
        """Rate, time left, failures, tokens and requests under way, in one line.

        Args:
            width: characters there are; what matters least is left out for them.
        """
        left = ""
        if self.total is not None and self.rate > 0:
            minutes, seconds = divmod(round((self.total - self.done) / self.rate), 60)
            left = f"{minutes}:{seconds:02} left"
        failed = f"{self.failed} failed" if self.failed else ""
        tokens = f"{self.n_tokens:,} tokens" if self.n_tokens else ""
        rate, under_way = f"{self.rate:.1f}/s", f"{self.n_under_way} under way"
        parts = [part for part in (rate, left, failed, tokens, under_way) if part]
        for least in (tokens, under_way, rate, left):
            if width is None or len(" · ".join(parts)) <= width:
                break
            if least in parts:
                parts.remove(least)
        return " · ".join(parts)

    def so_far(self) -> str:
        """How many are finished, of how many if that is known."""
        return f"{self.done}/{self.total}" if self.total is not None else str(self.done)


def _answers(result: SampleResult) -> list[Generation]:
    """Give all that was answered for a sample, by whomever."""
    if result.turns:
        return [turn.generation for turn in result.turns]
    return [] if result.generation is None else [result.generation]


class PlainProgress:
    """Writes a line at the start and end of a task, and one every few seconds between."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def model_opening(self, model: str) -> None:
        """Write that the model is made ready."""
        self.write(f"{model}: opening")

    def waiting(self, model: str, task: str) -> None:
        """Write that another process is at it."""
        self.write(f"{model} {task}: waiting for another process that asks the same")

    def message(self, text: str) -> None:
        """Write it."""
        self.write(text)

    def task_started(self, model: str, task: str, n_samples: int | None) -> PlainMeter:
        """Write that a task begins."""
        size = with_count(n_samples, "sample") if n_samples is not None else "samples"
        self.write(f"{model} {task}: {size}")
        return PlainMeter(TaskCounts(f"{model} {task}", n_samples), self.write)

    def write(self, text: str) -> None:
        """Write one line as it is."""
        self._console.print(shown(text), highlight=False, markup=False, soft_wrap=True)


class PlainMeter:
    """Writes how one task goes on."""

    def __init__(self, counts: TaskCounts, write: Callable[[str], None]) -> None:
        self._counts = counts
        self._write = write
        self._last = time.monotonic()

    def samples_skipped(self, n: int) -> None:
        """Count samples that were finished before."""
        self._counts.skip(n)

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Count a sample, and write a line now and then."""
        counts = self._counts
        counts.add(result, n_under_way)
        now = time.monotonic()
        if now - self._last >= PLAIN_EVERY_S:
            self._last = now
            self._write(f"{counts.label}: {counts.so_far()} samples · {counts.details()}")

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """Write how the task ended."""
        self._write(f"{self._counts.label}: {finished_text(result, self._counts, reused=reused)}")


class LiveProgress:
    """Shows a bar for each task, with rate, time left, failures, tokens and concurrency."""

    def __init__(self, console: Console) -> None:
        has_bar = console.width >= _LEAST_WIDTH_WITH_BAR
        room = console.width - (_BAR_WIDTH + 1 if has_bar else 0) - 1
        self._label_width = max(room - _DETAILS_WIDTH, _LEAST_LABEL_WIDTH)
        self._details_width = max(room - self._label_width, 1)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=_BAR_WIDTH)] if has_bar else []),
            TextColumn("{task.fields[details]}", markup=False),
            console=console,
        )
        self._newest: dict[str, TaskID] = {}

    def __enter__(self) -> LiveProgress:
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def model_opening(self, model: str) -> None:
        """Say that the model is made ready."""
        if model in self._newest:
            self._bars.update(self._newest[model], details="opening the model ...")

    def waiting(self, model: str, task: str) -> None:
        """Say that another process is at it."""
        self.message(f"{model} {task}: waiting for another process that asks the same")

    def message(self, text: str) -> None:
        """Write it above the bars."""
        self._bars.console.print(shown(text), highlight=False, markup=False, soft_wrap=True)

    def task_started(self, model: str, task: str, n_samples: int | None) -> LiveMeter:
        """Add a bar."""
        label = _end_of(shown(f"{model} {task}"), self._label_width)
        bar = self._bars.add_task(label, total=n_samples, details="")
        self._newest[model] = bar
        counts = TaskCounts(f"{model} {task}", n_samples)
        return LiveMeter(self._bars, bar, counts, width=self._details_width)


class LiveMeter:
    """Moves the bar of one task.

    Args:
        bars, bar: the display, and the task's line in it.
        counts: what has happened so far.
        width: characters for what is said of the task.
    """

    def __init__(self, bars: Progress, bar: TaskID, counts: TaskCounts, *, width: int) -> None:
        self._width = width
        self._bars = bars
        self._bar = bar
        self._counts = counts
        self._last = 0.0

    def samples_skipped(self, n: int) -> None:
        """Count samples that were finished before."""
        self._counts.skip(n)
        self._show(force=True)

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Move the bar."""
        self._counts.add(result, n_under_way)
        self._show()

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """Fill the bar and leave it there."""
        self._counts.n_under_way = 0
        text = finished_text(result, self._counts, reused=reused)
        n_samples = result.n_samples
        self._bars.update(self._bar, completed=n_samples, total=n_samples, details=text)

    def _show(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not (force or now - self._last >= LIVE_EVERY_S):
            return
        self._last = now
        counts = self._counts
        so_far = counts.so_far()
        details = counts.details(self._width - len(so_far) - 3)
        details = f"{so_far} · {details}" if details else so_far
        self._bars.update(self._bar, completed=counts.done, details=details)


def _end_of(label: str, width: int) -> str:
    """Shorten a label from its beginning: its end tells the task."""
    if cell_len(label) <= width:
        return label
    while cell_len(label) > width - 1:
        label = label[1:]
    return f"…{label}"


def finished_text(result: TaskResult, counts: TaskCounts, *, reused: bool) -> str:
    """Say in one line how a task ended."""
    counted = counts_text(result.outcomes)
    ended = f", {counted}" if counted else ""
    if reused:
        return f"{with_count(result.n_samples, 'sample')}, all from the journal{ended}"
    elapsed = time.monotonic() - counts.started
    failed = f", {result.n_failed} failed" if result.n_failed else ""
    from_journal = result.n_samples - result.n_failed - counts.n_asked
    known = f", {from_journal} from the journal" if from_journal > 0 else ""
    tokens = f", {counts.n_tokens:,} tokens" if counts.n_tokens else ""
    return (
        f"{with_count(result.n_samples, 'sample')} in {elapsed:.1f} s{known}{failed}{ended}{tokens}"
    )
