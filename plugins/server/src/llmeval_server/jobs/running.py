"""Runs one job: plan again, run, and say how it ended; in a thread with a loop of its own.

So neither a slow plugin of one job nor a busy one holds up the others, or DBOS.
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
    run_plan,
    validate,
)
from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.endings import Ending, job_error, told
from llmeval_server.jobs.files import JobFiles
from llmeval_server.jobs.own_loop import run_in_own_loop
from llmeval_server.jobs.progress import FileProgress
from llmeval_server.jobs.records import JobError, JobOutcome

_BUG = JobError(what="internal error", hint="this is a bug in llmeval or in a plugin; see the log")


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What is to be run; Any: the run file as JSON."""

    job_id: str
    run: dict[str, Any]
    attempt: int


class RunningJob:
    """One attempt at a job; `work` runs it in the calling thread, the rest may come from others.

    Args:
        order: what to run.
        session: the plugins.
        home: where the journal is.
        say: writes a line into the job's log.
    """

    def __init__(
        self, order: JobOrder, session: Session, home: Path, *, say: Callable[[str], None]
    ) -> None:
        self._order = order
        self._session = session
        self._home = home
        self._say = say
        self._files = JobFiles(home, order.job_id)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._run: asyncio.Task[RunOutcome] | None = None
        self._stopped = False
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether `work` has ended."""
        return self._over.is_set()

    def stop(self) -> None:
        """End early: requests under way may finish, what is finished is kept."""
        self._stopped = True
        self._in_loop(self._stop.set)

    def abort(self) -> None:
        """End now; what is committed is kept."""
        self._stopped = True
        self._in_loop(lambda: self._run.cancel() if self._run else None)

    def work(self) -> Ending:
        """Run the job to its end; blocking. Never raises for what a job can do wrong."""
        try:
            return self._work()
        finally:
            self._over.set()

    def _work(self) -> Ending:
        started_at = self._started_at()
        outcome: JobOutcome | None = None
        errors: list[JobError] = []
        try:
            outcome, errors = self._evaluate(started_at)
        except LlmevalError as err:
            errors = [job_error(err)]
        except Exception:  # noqa: BLE001  the border: a bug ends this job, not the worker
            self._say(traceback.format_exc())
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
            self._say(f"error: {told(error)}")
        return Ending(
            started_at=started_at, ended_at=time.time(), outcome=outcome, errors=tuple(errors)
        )

    def _started_at(self) -> float:
        """Tell when this attempt began, also if another worker began it."""
        before = self._files.stage()
        if before is not None and before.attempt == self._order.attempt:
            self._say("goes on where it stopped")
            return before.started_at
        self._say(f"attempt {self._order.attempt} begins")
        return time.time()

    def _evaluate(self, started_at: float) -> tuple[JobOutcome | None, list[JobError]]:
        origin = Origin()
        config = validate(RunConfig, self._order.run, origin=origin)
        plan = make_plan(
            config,
            self._session.catalog,
            origin=origin,
            observer=self._session.host,
            preflight=preflight_of_run(self._home),
        )
        for note in plan.notes:
            self._say(note)
        with Journal(self._home) as journal:
            outcome = run_in_own_loop(self._run_plan(plan, journal, started_at))
        if outcome is None:
            return None, []
        return self._numbers(outcome), [job_error(err) for err in outcome.errors]

    def _numbers(self, outcome: RunOutcome) -> JobOutcome:
        """Keep the numbers, and say them."""
        summary = outcome.summary
        for report in outcome.deliveries:
            if report.n_undelivered:
                self._say(
                    f"{report.tracker}: {report.n_undelivered} results wait in the journal"
                    f" ({report.reason})"
                )
        self._say(
            f"{summary.n_samples} samples, {summary.n_requests} requests answered,"
            f" {summary.n_failed} failed, {summary.elapsed_s:.1f} s"
        )
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
        """Run it; None if it was aborted."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            if self._stopped:
                self._stop.set()
        progress = FileProgress(
            plan, self._files, self._say, attempt=self._order.attempt, started_at=started_at
        )
        self._run = asyncio.create_task(run_plan(plan, journal, progress=progress, stop=self._stop))
        try:
            await asyncio.wait((self._run,))
        finally:
            progress.close()
            with self._lock:
                self._loop = None  # it is closed soon, and takes no more calls
        return None if self._run.cancelled() else self._run.result()

    def _in_loop(self, call: Callable[[], object]) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(call)
