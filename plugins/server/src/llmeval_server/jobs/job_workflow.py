"""The workflow that DBOS runs for a job: one step that evaluates, then the job's end.

The step is repeated after a crash; thanks to the journal no request is sent twice.
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
from llmeval_server.jobs.job_end import JobEnd
from llmeval_server.jobs.job_files import JobFiles
from llmeval_server.jobs.job_log import JobLog
from llmeval_server.jobs.job_run import JobRun, JobSpec

MAX_RECOVERIES = 50
"""How often a job is started again after its worker has died."""
_POLL_S = 0.05

_log = logging.getLogger("llmeval.server")


class JobRunner:
    """Runs the jobs that DBOS assigns to this process, and keeps track of them.

    Args:
        session: the loaded plugins.
        home: the folder of the journal and of the jobs' files.
    """

    def __init__(self, session: Session, home: Path) -> None:
        self._session = session
        self._home = home
        self._current: ContextVar[str | None] = ContextVar("llmeval job", default=None)
        self._running: dict[str, JobRun] = {}
        self._lock = threading.Lock()
        self._closing = False

    def register(self) -> None:
        """Register the workflow with DBOS; once, before DBOS is launched."""
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)(self._workflow())

    def has(self, job_id: str) -> bool:
        """Whether this process runs a job."""
        with self._lock:
            return job_id in self._running

    def close(self, *, grace_s: float, abort_s: float) -> int:
        """Stop all jobs, so that the next worker continues them; returns their number.

        Args:
            grace_s: how long requests under way may take to finish, seconds.
            abort_s: how long aborted jobs may then take to write their state, seconds.
        """
        with self._lock:
            self._closing = True
            stopped = tuple(self._running.values())
        for job in stopped:
            job.stop()
        self._wait_for(stopped, grace_s)
        for job in stopped:
            job.abort()
        self._wait_for(stopped, abort_s)
        return len(stopped)

    def _wait_for(self, jobs: Iterable[JobRun], within_s: float) -> None:
        give_up_at = time.monotonic() + within_s
        while any(not job.is_over for job in jobs) and time.monotonic() < give_up_at:
            time.sleep(_POLL_S)

    def _workflow(self) -> Any:
        """Make the workflow's function; Any: DBOS's decorators have no useful type."""

        async def job(run: dict[str, Any]) -> dict[str, Any]:
            options = StepOptions(name="evaluate", preemptible=True)
            end = await DBOS.run_step_async(options, self._evaluate, str(DBOS.workflow_id), run)
            if JobEnd.model_validate(end).errors:
                first = end["errors"][0]["what"]
                raise PortableWorkflowError(first, "JobFailed", data=end)
            return end

        return job

    async def _evaluate(self, job_id: str, run: dict[str, Any]) -> dict[str, Any]:
        """Run the job in a thread; DBOS cancels this when the job is cancelled."""
        status = await DBOS.get_workflow_status_async(job_id)
        attributes = (status.attributes if status else None) or {}
        label = f"{job_id} ({attributes.get('name', '')})"
        files = JobFiles(self._home, job_id)
        redact = self._session.catalog.redactor
        log = JobLog(files, redact, current=self._current, job_id=job_id)
        spec = JobSpec(job_id, run, int(attributes.get("attempt", 1)))
        job = JobRun(spec, self._session, self._home, log=log.write)
        if not self._add(job_id, job):
            await asyncio.Event().wait()  # the next worker starts it
        _log.info("job %s begins", label)
        try:
            end = await self._in_thread(job, log)
        except asyncio.CancelledError:
            _log.info("job %s was cancelled", label)
            raise
        finally:
            self._remove(job_id, job)
        if self._is_closing():
            await asyncio.Event().wait()  # it is not over: the next worker continues it
        if end.errors:
            _log.warning("job %s failed: %s", label, end.errors[0].what)
        else:
            _log.info("job %s succeeded", label)
        return end.model_dump(mode="json")

    async def _in_thread(self, job: JobRun, log: JobLog) -> JobEnd:
        """Run a job to its end; if cancelled, until its requests under way have ended."""

        def run() -> JobEnd:
            with log.attached():
                return job.run()

        running = asyncio.get_running_loop().run_in_executor(None, run)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            log.write("cancelled: what is finished stays in the journal")
            job.stop()
            await asyncio.wait((running,))
            raise

    def _add(self, job_id: str, job: JobRun) -> bool:
        with self._lock:
            if not self._closing:
                self._running[job_id] = job
            return not self._closing

    def _remove(self, job_id: str, job: JobRun) -> None:
        with self._lock:
            if self._running.get(job_id) is job:
                del self._running[job_id]

    def _is_closing(self) -> bool:
        with self._lock:
            return self._closing
