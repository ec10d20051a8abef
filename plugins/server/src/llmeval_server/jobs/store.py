"""Where jobs are kept, as the API sees it: accepted means on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llmeval_server.jobs.records import Job, JobProgress, JobState


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first, and how many there are in all."""

    jobs: tuple[Job, ...]
    n_jobs: int


class JobStore(Protocol):
    """Keeps jobs durably; every call may block and belongs in a thread.

    Raises, in every call:
        JobStoreError: the store cannot be reached.
        UnknownJobError: there is no job with this id.
    """

    def submit(self, run: dict[str, Any], *, name: str, key: str | None = None) -> Job:
        """Accept a checked run file; durable on return.

        Args:
            run: the run file as JSON.
            name: what people call the job.
            key: an idempotency key; the same key again gives the job that is there.

        Raises:
            KeyInUseError: the key was used for another run file.
        """

    def list(self, *, states: Sequence[JobState] = (), limit: int = 50, offset: int = 0) -> JobPage:
        """List jobs, newest first, of all states if none is named."""

    def get(self, job_id: str) -> Job:
        """Return one job."""

    def progress(self, job_id: str) -> JobProgress:
        """Tell how far a job is; with no tasks before it starts. Cheap: called often."""

    def log(self, job_id: str, *, offset: int = 0) -> tuple[str, int]:
        """Return the job's log from a byte offset, and the offset where it ends now."""

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop; what is finished stays in the journal. Harmless if it is over."""

    def retry(self, job_id: str) -> Job:
        """Queue a job that is over again, under the same id.

        Raises:
            NotOverError: it is still queued or running.
        """

    def counts(self) -> dict[JobState, int]:
        """Count jobs by state."""

    def worker_seen_at(self) -> float | None:
        """When a worker last gave a sign of life, seconds since 1970; None if never."""

    def close(self) -> None:
        """Free connections."""
