"""Writes a job's progress: numbers into its progress file, lines into its log."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from llmeval_core.api import Plan, TaskMeter, with_count
from llmeval_core.hooks import SampleResult, TaskResult
from llmeval_server.jobs.job_files import JobFiles, ProgressFile
from llmeval_server.jobs.job_records import JobProgress, TaskProgress

WRITE_EVERY_S = 0.25
"""Least time between two writes of the progress file, seconds."""
LOG_EVERY_S = 30.0
"""Time between two lines about a task in the log, seconds."""


class ProgressWriter:
    """Counts the progress of a plan's tasks, and writes it a few times a second.

    It is created and called in the event loop of the run; `close` writes the final numbers.

    Args:
        plan: the plan.
        files: the job's files.
        log: writes a line into the job's log.
        attempt: the number of the attempt.
        started_at: when the attempt started, seconds since 1970.
    """

    def __init__(
        self,
        plan: Plan,
        files: JobFiles,
        log: Callable[[str], None],
        *,
        attempt: int,
        started_at: float,
    ) -> None:
        self._files = files
        self._log = log
        self._attempt = attempt
        self._started_at = started_at
        previous = files.read_progress()
        self._sequence = previous.progress.sequence if previous else 0
        self._models = {
            item.model.name: _ModelProgress(item.model.name) for item in plan.evaluations
        }
        self._meters = {
            (item.model.name, task.key): TaskProgressMeter(
                self._models[item.model.name],
                task.key,
                task.n_samples,
                changed=self._changed,
                log=log,
            )
            for item in plan.evaluations
            for task in item.tasks
        }
        self._written_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._write()

    def model_opening(self, model: str) -> None:
        """Record that a model is being opened; its tasks that have begun wait for it."""
        self._log(f"{model}: opening")
        self._models[model].is_opening = True
        self._changed()

    def waiting(self, model: str, task: str) -> None:
        """Log that a task waits for another process that runs the same."""
        self._log(f"{model} {task}: waiting for another run that asks the same")

    def message(self, text: str) -> None:
        """Log a message."""
        self._log(text)

    def task_started(self, model: str, task: str, n_samples: int | None) -> TaskMeter:
        """Record that a task begins, and return its meter."""
        meter = self._meters[model, task]
        meter.start(n_samples)
        return meter

    def close(self) -> None:
        """Write the final numbers."""
        if self._timer is not None:
            self._timer.cancel()
        self._write()

    def _changed(self) -> None:
        if self._timer is None:
            pause_s = max(0.0, self._written_at + WRITE_EVERY_S - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause_s, self._write)

    def _write(self) -> None:
        self._timer = None
        self._written_at = time.monotonic()
        self._sequence += 1
        tasks = tuple(meter.record() for meter in self._meters.values())
        progress = JobProgress(sequence=self._sequence, tasks=tasks)
        content = ProgressFile(
            attempt=self._attempt, started_at=self._started_at, progress=progress
        )
        # A full disk is reported by the journal, which has more to lose.
        with contextlib.suppress(OSError):
            self._files.write_progress(content)


@dataclass(slots=True)
class _ModelProgress:
    """The state that a model's tasks share: whether it is being opened, until its first answer."""

    name: str
    is_opening: bool = False


class TaskProgressMeter:
    """Counts the progress of one task."""

    def __init__(
        self,
        model: _ModelProgress,
        task: str,
        n_samples: int | None,
        *,
        changed: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._model = model
        self._task = task
        self._state = "waiting"
        self._changed = changed
        self._log = log
        self._n_samples = n_samples
        self._n_done = self._n_failed = self._n_skipped = 0
        self._n_tokens = self._n_under_way = 0
        self._started_at = self._logged_at = time.monotonic()

    def start(self, n_samples: int | None) -> None:
        """Record that the task begins."""
        self._state = "running"
        self._n_samples = n_samples
        self._started_at = self._logged_at = time.monotonic()
        self._changed()

    def samples_skipped(self, n: int) -> None:
        """Count samples that an earlier run finished."""
        self._n_done += n
        self._n_skipped += n
        self._changed()

    def sample_finished(self, result: SampleResult, *, n_under_way: int) -> None:
        """Count a finished sample, and log the progress now and then."""
        if not result.from_journal:
            self._model.is_opening = False
        self._n_done += 1
        self._n_failed += result.failure is not None
        self._n_under_way = n_under_way
        if result.generation is not None and not result.from_journal:
            self._n_tokens += result.generation.n_prompt_tokens or 0
            self._n_tokens += result.generation.n_completion_tokens or 0
        if time.monotonic() - self._logged_at >= LOG_EVERY_S:
            self._logged_at = time.monotonic()
            of_all = "" if self._n_samples is None else f" of {self._n_samples}"
            self._log(f"{self._model.name} {self._task}: {self._n_done}{of_all} samples")
        self._changed()

    def task_finished(self, result: TaskResult, *, reused: bool) -> None:
        """Record the end of the task, and log it."""
        self._state = "finished"
        self._n_samples = self._n_done = result.n_samples
        self._n_failed = result.n_failed
        self._n_under_way = 0
        how = ", all from the journal" if reused else f" in {self._elapsed_s():.1f} s"
        failed = f", {result.n_failed} failed" if result.n_failed else ""
        self._log(
            f"{self._model.name} {self._task}:"
            f" {with_count(result.n_samples, 'sample')}{how}{failed}"
        )
        self._changed()

    def record(self) -> TaskProgress:
        """Return the present progress."""
        state = self._state
        if state == "running" and self._model.is_opening:
            state = "opening"
        rate = (self._n_done - self._n_skipped) / self._elapsed_s()
        left = None
        if self._n_samples is not None and rate > 0 and state == "running":
            left = max(0, self._n_samples - self._n_done) / rate
        return TaskProgress.model_validate(
            {
                "model": self._model.name,
                "task": self._task,
                "n_samples": self._n_samples,
                "n_done": self._n_done,
                "n_failed": self._n_failed,
                "n_tokens": self._n_tokens,
                "n_under_way": self._n_under_way,
                "samples_per_s": rate if state == "running" else 0.0,
                "seconds_left": left,
                "state": state,
            }
        )

    def _elapsed_s(self) -> float:
        return max(time.monotonic() - self._started_at, 1e-9)
