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
from llmeval_server.errors import KeyInUseError, NotOverError, UnknownJobError
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
from llmeval_server.jobs.files import JobFiles, worker_seen_at
from llmeval_server.jobs.job_ids import is_job_id, job_id_of_key, new_job_id
from llmeval_server.jobs.records import Job, JobProgress, JobState
from llmeval_server.jobs.store import JobPage
from llmeval_server.settings import ServerSettings


def open_store(settings: ServerSettings) -> DbosJobStore:
    """Open the store, and make it if it is not there.

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
        counter = sa.create_engine(url, pool_size=2, pool_pre_ping=True)
    return DbosJobStore(settings, client, counter)


class DbosJobStore:
    """Keeps jobs in DBOS's tables; holds a client only, so that no job runs in this process.

    Args:
        settings: the home folder and the database.
        client: of DBOS.
        counter: for the one question that the client cannot ask.
    """

    def __init__(self, settings: ServerSettings, client: DBOSClient, counter: sa.Engine) -> None:
        self._settings = settings
        self._home = settings.home
        self._client = client
        self._counter = counter

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
            # SQLite's clock, by which DBOS goes, knows whole seconds only.
            "attributes": {"name": shown(name), "attempt": 1, "submitted_at": time.time()},
        }
        with store_errors(self._settings):
            try:
                self._client.enqueue(options, run)
            except dbos_error.DBOSWorkflowIDInUseError:
                job = self.get(job_id)
                if job.run != run:
                    raise KeyInUseError(
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
        """Tell how far a job is; see `JobStore`."""
        with store_errors(self._settings):
            stage = self._files(job_id).stage()
        if stage is not None:
            return stage.progress
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
            raise _not_over(job)
        with store_errors(self._settings):
            # First, so that a worker never sees the old number; if we die here it is only skipped.
            self._client.update_workflow_attributes(
                job_id, {"attempt": job.attempt + 1}, merge=True
            )
            try:
                self._client.rewind_workflow(job_id, queue_name=QUEUE, application_version=VERSION)
            except dbos_error.DBOSException:  # somebody else was quicker
                now = self.get(job_id)
                if now.is_over:
                    raise
                raise _not_over(now) from None
        return self.get(job_id)

    def counts(self) -> dict[JobState, int]:
        """Count jobs by state; see `JobStore`."""
        counts: dict[JobState, int] = dict.fromkeys(get_args(JobState), 0)
        with store_errors(self._settings):
            for status, n_jobs in count_by_status(self._counter).items():
                counts[STATES[status]] += n_jobs
        return counts

    def worker_seen_at(self) -> float | None:
        """When a worker last gave a sign of life; see `JobStore`."""
        with store_errors(self._settings):
            return worker_seen_at(self._home)

    def running_ids(self) -> Sequence[str]:
        """Name the jobs that count as running."""
        with store_errors(self._settings):
            listed = self._client.list_workflows(
                name=WORKFLOW, status="PENDING", load_input=False, load_output=False
            )
        return [status.workflow_id for status in listed]

    def take_up_again(self, job_id: str) -> None:
        """Queue a job again that counts as running, but is not run by anybody."""
        with store_errors(self._settings):
            self._client.resume_workflow(job_id, queue_name=QUEUE)

    def close(self) -> None:
        """Free connections."""
        self._client.destroy()
        self._counter.dispose()

    def _files(self, job_id: str) -> JobFiles:
        _check_id(job_id)
        return JobFiles(self._home, job_id)


def _plain_json(run: dict[str, Any]) -> dict[str, Any]:
    """Return the run as it will come back from the store; Any: JSON."""
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


def _not_over(job: Job) -> NotOverError:
    return NotOverError(
        f"job {job.id} is {job.state}", hint="wait until it is over, or cancel it first"
    )
