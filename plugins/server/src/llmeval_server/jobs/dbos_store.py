"""The job store on DBOS: a job is a workflow in a queue, and its id is the workflow's."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, get_args

import sqlalchemy as sa
from dbos import (
    DBOSClient,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
)
from dbos import error as dbos_error

from llmeval_core.api import shown
from llmeval_core.hooks import ConfigError
from llmeval_server.job_errors import IdempotencyConflictError, JobNotFinishedError, UnknownJobError
from llmeval_server.jobs.database import (
    APPLICATION,
    QUEUE,
    VERSION,
    WORKFLOW,
    count_by_status,
    prepare_database,
    store_errors,
)
from llmeval_server.jobs.dbos_jobs import STATES, job_of
from llmeval_server.jobs.job_files import JobFiles, last_heartbeat
from llmeval_server.jobs.job_ids import is_job_id, job_id_of_key, new_job_id
from llmeval_server.jobs.job_records import Job, JobProgress, JobState
from llmeval_server.jobs.job_store import JobPage
from llmeval_server.server_settings import ServerSettings


def open_store(settings: ServerSettings) -> DbosJobStore:
    """Open the store, and create it if it does not exist.

    Raises:
        JobStoreError: the database cannot be reached or written.
        ConfigError: `jobs_url` is wrong, or needs a package that is not installed.
    """
    url = prepare_database(settings)
    with store_errors(settings):
        client = DBOSClient(
            system_database_url=url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            retry_connection_errors=False,
        )
        engine = sa.create_engine(url, pool_size=2, pool_pre_ping=True)
    return DbosJobStore(settings, client, engine)


class DbosJobStore:
    """Stores jobs in DBOS's tables; it only has a client, so no job runs in this process.

    Args:
        settings: the home folder and the database.
        client: DBOS's client.
        engine: for counting, which the client cannot do.
    """

    def __init__(self, settings: ServerSettings, client: DBOSClient, engine: sa.Engine) -> None:
        self._settings = settings
        self._home = settings.home
        self._client = client
        self._engine = engine

    def submit(self, run: dict[str, Any], *, name: str, key: str | None = None) -> Job:
        """Accept a checked run file; see `JobStore`."""
        run = _plain_json(run)
        job_id = new_job_id() if key is None else job_id_of_key(key)
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job_id,
            "workflow_id_reuse_policy": "reject",
            "app_version": VERSION,
            # DBOS uses SQLite's clock, which has whole seconds only.
            "attributes": {"name": shown(name), "attempt": 1, "submitted_at": time.time()},
        }
        with store_errors(self._settings):
            try:
                self._client.enqueue(options, run)
            except dbos_error.DBOSWorkflowIDInUseError:
                job = self.get(job_id)
                if job.run != run:
                    raise IdempotencyConflictError(
                        "this idempotency key was used for another run file",
                        where=f"job {job_id}",
                        hint="send a new key with a new run file",
                    ) from None
                return job
        return self.get(job_id)

    def list(self, *, states: Sequence[JobState] = (), limit: int = 50, offset: int = 0) -> JobPage:
        """List jobs, newest first; see `JobStore`."""
        wanted = [status for status, state in STATES.items() if state in states]
        with store_errors(self._settings):
            listed = self._client.list_workflows(
                name=WORKFLOW,
                status=wanted or None,
                limit=limit,
                offset=offset,
                sort_desc=True,
            )
        counts = self.counts()
        n_jobs = sum(counts[state] for state in states or counts)
        return JobPage(tuple(job_of(status, self._home) for status in listed), n_jobs)

    def get(self, job_id: str) -> Job:
        """Return one job; see `JobStore`."""
        _check_id(job_id)
        with store_errors(self._settings):
            found = self._client.list_workflows(workflow_ids=[job_id], name=WORKFLOW)
        if not found:
            raise _unknown(job_id)
        return job_of(found[0], self._home)

    def progress(self, job_id: str) -> JobProgress:
        """Return a job's progress; see `JobStore`."""
        with store_errors(self._settings):
            stored = self._files(job_id).read_progress()
        if stored is not None:
            return stored.progress
        self.get(job_id)
        return JobProgress(sequence=0)

    def log(self, job_id: str, *, offset: int = 0) -> tuple[str, int]:
        """Return the job's log from a byte offset; see `JobStore`."""
        with store_errors(self._settings):
            text, end = self._files(job_id).log(offset)
        if not text:
            self.get(job_id)
        return text, end

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; see `JobStore`."""
        if not self.get(job_id).is_over:
            with store_errors(self._settings):
                self._client.cancel_workflow(job_id)
        return self.get(job_id)

    def retry(self, job_id: str) -> Job:
        """Queue a job that is over again; see `JobStore`."""
        job = self.get(job_id)
        if not job.is_over:
            raise _not_finished(job)
        with store_errors(self._settings):
            # First, so that no worker sees the old number; a crash here only skips a number.
            self._client.update_workflow_attributes(
                job_id, {"attempt": job.attempt + 1}, merge=True
            )
            try:
                self._client.rewind_workflow(job_id, queue_name=QUEUE, application_version=VERSION)
            except dbos_error.DBOSException:  # another retry was faster
                now = self.get(job_id)
                if now.is_over:
                    raise
                raise _not_finished(now) from None
        return self.get(job_id)

    def counts(self) -> dict[JobState, int]:
        """Count jobs by state; see `JobStore`."""
        counts: dict[JobState, int] = dict.fromkeys(get_args(JobState), 0)
        with store_errors(self._settings):
            for status, n_jobs in count_by_status(self._engine).items():
                counts[STATES[status]] += n_jobs
        return counts

    def last_heartbeat(self) -> float | None:
        """Return when a worker last sent a heartbeat; see `JobStore`."""
        with store_errors(self._settings):
            return last_heartbeat(self._home)

    def running_ids(self) -> Sequence[str]:
        """Return the ids of the jobs that are stored as running."""
        with store_errors(self._settings):
            listed = self._client.list_workflows(
                name=WORKFLOW, status="PENDING", load_input=False, load_output=False
            )
        return [status.workflow_id for status in listed]

    def requeue(self, job_id: str) -> None:
        """Queue a job again that is stored as running, but that no worker runs."""
        with store_errors(self._settings):
            self._client.resume_workflow(job_id, queue_name=QUEUE)

    def close(self) -> None:
        """Close all connections."""
        self._client.destroy()
        self._engine.dispose()

    def _files(self, job_id: str) -> JobFiles:
        _check_id(job_id)
        return JobFiles(self._home, job_id)


def _plain_json(run: dict[str, Any]) -> dict[str, Any]:
    """Return the run as it will be read from the store; Any: JSON."""
    text = json.dumps(run, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError("the run file has half of a surrogate pair, which is no text") from None
    plain: dict[str, Any] = json.loads(text)
    return plain


def _check_id(job_id: str) -> None:
    if not is_job_id(job_id):
        raise _unknown(job_id)


def _unknown(job_id: str) -> UnknownJobError:
    return UnknownJobError(
        f"there is no job '{shown(job_id[:80])}'", hint="the list of jobs shows their ids"
    )


def _not_finished(job: Job) -> JobNotFinishedError:
    return JobNotFinishedError(
        f"job {job.id} is {job.state}", hint="wait until it is over, or cancel it first"
    )
