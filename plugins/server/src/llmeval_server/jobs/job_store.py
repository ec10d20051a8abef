"""The interface of the job store, for the API: an accepted job is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmeval_server.jobs.job_records import Job, JobProgress, JobState


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first, and the number of all jobs."""

    jobs: tuple[Job, ...]
    n_jobs: int


class JobStore(Protocol):
    """Stores jobs durably; every call may block, so call it in a thread.

    Raises, in every call:
        JobStoreError: the store cannot be reached.
        UnknownJobError: there is no job with this id.
    """

    def submit(self, run: dict[str, Any], *, name: str, key: str | None = None) -> Job:
        """Accept a checked run file; durable on return.

        Args:
            run: the run file as JSON.
            name: the job's name.
            key: an idempotency key; the same key again returns the existing job.

        Raises:
            IdempotencyConflictError: the key was used for another run file.
        """

    def list(self, *, states: Sequence[JobState] = (), limit: int = 50, offset: int = 0) -> JobPage:
        """List jobs, newest first, of all states if none is named."""

    def get(self, job_id: str) -> Job:
        """Return one job."""

    def progress(self, job_id: str) -> JobProgress:
        """Return a job's progress; no tasks before it starts. Cheap, as it is called often."""

    def log(self, job_id: str, *, offset: int = 0) -> tuple[str, int]:
        """Return the job's log from a byte offset on, and the offset of its end."""

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; finished samples stay in the journal. No effect if it is over."""

    def retry(self, job_id: str) -> Job:
        """Queue a job that is over again, under the same id.

        Raises:
            JobNotFinishedError: it is still queued or running.
        """

    def counts(self) -> dict[JobState, int]:
        """Count jobs by state."""

    def last_heartbeat(self) -> float | None:
        """Return when a worker last sent a heartbeat, seconds since 1970; None if never."""

    def close(self) -> None:
        """Close all connections."""
