"""Runs one attempt of a job: plan it again, run it, and return its end.

Each runs in a thread with an event loop of its own, so that a slow or busy plugin of one job delays
neither other jobs nor DBOS.
"""

from __future__ import annotations

import asyncio
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval_core.api import (
    Journal,
    Origin,
    Plan,
    RunConfig,
    RunOutcome,
    Session,
    make_plan,
    preflight_of_run,
    run_counts_text,
    run_plan,
    validate,
    waiting_text,
)
from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.job_end import JobEnd, format_error, job_error
from llmeval_server.jobs.job_files import JobFiles
from llmeval_server.jobs.job_records import JobError, JobOutcome
from llmeval_server.jobs.new_loop import run_in_new_loop
from llmeval_server.jobs.progress_writer import ProgressWriter

_BUG = JobError(what="internal error", hint="this is a bug in llmeval or in a plugin; see the log")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """The job to be run; Any: the run file as JSON."""

    job_id: str
    run: dict[str, Any]
    attempt: int


class JobRun:
    """One attempt of a job; `run` blocks, the other methods may be called from other threads.

    Args:
        spec: the job.
        session: the loaded plugins.
        home: the folder of the journal.
        log: writes a line into the job's log.
    """

    def __init__(
        self, spec: JobSpec, session: Session, home: Path, *, log: Callable[[str], None]
    ) -> None:
        self._spec = spec
        self._session = session
        self._home = home
        self._log = log
        self._files = JobFiles(home, spec.job_id)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._running: asyncio.Task[RunOutcome] | None = None
        self._stopped = False
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether `run` has returned."""
        return self._over.is_set()

    def stop(self) -> None:
        """End early: requests under way may finish, and what is finished is kept."""
        self._stopped = True
        self._in_loop(self._stop.set)

    def abort(self) -> None:
        """End at once; what is committed is kept."""
        self._stopped = True
        self._in_loop(lambda: self._running.cancel() if self._running else None)

    def run(self) -> JobEnd:
        """Run the job to its end; blocking. A job's errors are in the result, never raised."""
        try:
            return self._run()
        finally:
            self._over.set()

    def _run(self) -> JobEnd:
        started_at = self._started_at()
        outcome: JobOutcome | None = None
        errors: list[JobError] = []
        try:
            outcome, errors = self._evaluate(started_at)
        except LlmevalError as err:
            errors = [job_error(err)]
        except Exception:  # noqa: BLE001  the border: a bug ends this job, not the worker
            self._log(traceback.format_exc())
            errors = [_BUG]
        redact = self._session.catalog.redactor
        errors = [
            JobError(
                what=redact(error.what),
                where=redact(error.where) if error.where else None,
                hint=redact(error.hint) if error.hint else None,
            )
            for error in errors
        ]
        for error in errors:
            self._log(f"error: {format_error(error)}")
        return JobEnd(
            started_at=started_at, ended_at=time.time(), outcome=outcome, errors=tuple(errors)
        )

    def _started_at(self) -> float:
        """Return when this attempt began, maybe in an earlier worker."""
        stored = self._files.read_progress()
        if stored is not None and stored.attempt == self._spec.attempt:
            self._log("goes on where it stopped")
            return stored.started_at
        self._log(f"attempt {self._spec.attempt} begins")
        return time.time()

    def _evaluate(self, started_at: float) -> tuple[JobOutcome | None, list[JobError]]:
        origin = Origin()
        config = validate(RunConfig, self._spec.run, origin=origin)
        plan = make_plan(
            config,
            self._session.catalog,
            origin=origin,
            observer=self._session.host,
            preflight=preflight_of_run(self._home),
        )
        for note in plan.notes:
            self._log(note)
        with Journal(self._home) as journal:
            outcome = run_in_new_loop(self._run_plan(plan, journal, started_at))
        if outcome is None:
            return None, []
        return self._outcome(outcome), [job_error(err) for err in outcome.errors]

    def _outcome(self, outcome: RunOutcome) -> JobOutcome:
        """Log the numbers of a run, and return them as a record."""
        summary = outcome.summary
        for report in outcome.deliveries:
            if report.n_undelivered:
                self._log(
                    f"{report.tracker}: {waiting_text(report.n_undelivered)} in the journal"
                    f" ({report.reason})"
                )
        self._log(run_counts_text(summary))
        return JobOutcome(
            n_samples=summary.n_samples,
            n_failed=summary.n_failed,
            n_requests=summary.n_requests,
            n_unfinished=summary.n_unfinished,
            n_undelivered=summary.n_undelivered,
            elapsed_s=round(summary.elapsed_s, 3),
            n_tokens=summary.n_tokens,
            cost=summary.cost,
            results=tuple(result.id for result in summary.results),
        )

    async def _run_plan(self, plan: Plan, journal: Journal, started_at: float) -> RunOutcome | None:
        """Run the plan; None if it was aborted."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self._stopped:
                self._stop.set()
        progress = ProgressWriter(
            plan, self._files, self._log, attempt=self._spec.attempt, started_at=started_at
        )
        self._running = asyncio.create_task(
            run_plan(plan, journal, progress=progress, stop=self._stop)
        )
        try:
            await asyncio.wait((self._running,))
        finally:
            progress.close()
            with self._lock:
                self._loop = None  # the loop closes soon, and accepts no more calls
        return None if self._running.cancelled() else self._running.result()

    def _in_loop(self, call: Callable[[], object]) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(call)
