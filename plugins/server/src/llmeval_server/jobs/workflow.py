"""The workflow that DBOS runs for a job: one step that evaluates, then how it ended.

The step may run again after a crash; the journal sees to it that nothing is asked twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from dbos import DBOS, PortableWorkflowError, StepOptions

from llmeval_core.api import Session
from llmeval_server.jobs.database import WORKFLOW
from llmeval_server.jobs.endings import Ending
from llmeval_server.jobs.files import JobFiles
from llmeval_server.jobs.job_log import JobLog
from llmeval_server.jobs.running import JobOrder, RunningJob

MOST_DEATHS = 50
"""How often a worker may die with a job before the job is given up."""
_POLL_S = 0.05

_log = logging.getLogger("llmeval.server")


class JobRunner:
    """Runs the jobs that DBOS hands to this process, and knows which they are.

    Args:
        session: the plugins.
        home: where the journal and the jobs' files are.
    """

    def __init__(self, session: Session, home: Path) -> None:
        self._session = session
        self._home = home
        self._current: ContextVar[str | None] = ContextVar("llmeval job", default=None)
        self._running: dict[str, RunningJob] = {}
        self._lock = threading.Lock()
        self._closing = False

    def register(self) -> None:
        """Tell DBOS what a job is; once, before it is launched."""
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MOST_DEATHS)(self._workflow())

    def has(self, job_id: str) -> bool:
        """Say whether this process runs a job."""
        with self._lock:
            return job_id in self._running

    def close(self, *, grace_s: float, last_s: float) -> int:
        """Stop all jobs so that the next worker goes on with them, and say how many there were.

        Args:
            grace_s: how long requests under way may finish.
            last_s: how long jobs may then take to write what they have.
        """
        with self._lock:
            self._closing = True
            stopped = tuple(self._running.values())
        for job in stopped:
            job.stop()
        self._wait_for(stopped, grace_s)
        for job in stopped:
            job.abort()
        self._wait_for(stopped, last_s)
        return len(stopped)

    def _wait_for(self, jobs: Iterable[RunningJob], within_s: float) -> None:
        give_up_at = time.monotonic() + within_s
        while any(not job.is_over for job in jobs) and time.monotonic() < give_up_at:
            time.sleep(_POLL_S)

    def _workflow(self) -> Any:
        """Make the workflow's function; Any: DBOS gives decorated functions no useful type."""

        async def job(run: dict[str, Any]) -> dict[str, Any]:
            options = StepOptions(name="evaluate", preemptible=True)
            ended = await DBOS.run_step_async(options, self._evaluate, str(DBOS.workflow_id), run)
            if Ending.model_validate(ended).errors:
                first = ended["errors"][0]["what"]
                raise PortableWorkflowError(first, "JobFailed", data=ended)
            return ended

        return job

    async def _evaluate(self, job_id: str, run: dict[str, Any]) -> dict[str, Any]:
        """Run the job in a thread; cancelled by DBOS when somebody cancels the job."""
        status = await DBOS.get_workflow_status_async(job_id)
        attributes = (status.attributes if status else None) or {}
        label = f"{job_id} ({attributes.get('name', '')})"
        files = JobFiles(self._home, job_id)
        redact = self._session.catalog.redactor
        log = JobLog(files, redact, current=self._current, job_id=job_id)
        order = JobOrder(job_id, run, int(attributes.get("attempt", 1)))
        job = RunningJob(order, self._session, self._home, say=log.say)
        if not self._enter(job_id, job):
            await asyncio.Event().wait()  # the next worker begins with it
        _log.info("job %s begins", label)
        try:
            ending = await self._in_thread(job, log)
        except asyncio.CancelledError:
            _log.info("job %s was cancelled", label)
            raise
        finally:
            self._leave(job_id, job)
        if self._is_closing():
            await asyncio.Event().wait()  # it is not over: the next worker goes on with it
        if ending.errors:
            _log.warning("job %s failed: %s", label, ending.errors[0].what)
        else:
            _log.info("job %s succeeded", label)
        return ending.model_dump(mode="json")

    async def _in_thread(self, job: RunningJob, log: JobLog) -> Ending:
        """Run a job to its end; if cancelled, to the end of what it then has under way."""

        def work() -> Ending:
            with log.listening():
                return job.work()

        working = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            log.say("cancelled: what is finished stays in the journal")
            job.stop()
            await asyncio.wait((working,))
            raise

    def _enter(self, job_id: str, job: RunningJob) -> bool:
        with self._lock:
            if not self._closing:
                self._running[job_id] = job
            return not self._closing

    def _leave(self, job_id: str, job: RunningJob) -> None:
        with self._lock:
            if self._running.get(job_id) is job:
                del self._running[job_id]

    def _is_closing(self) -> bool:
        with self._lock:
            return self._closing
