"""How a job ended, as its workflow returns it and the store keeps it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.job_records import JobError, JobOutcome


class JobEnd(BaseModel):
    """The end of a job: its times, its outcome and its errors; no outcome if it never ran."""

    model_config = ConfigDict(frozen=True)

    started_at: float | None = None
    ended_at: float | None = None
    outcome: JobOutcome | None = None
    errors: tuple[JobError, ...] = ()


def job_error(err: LlmevalError) -> JobError:
    """Convert an error into a record."""
    return JobError(what=err.what, where=err.where, hint=err.hint)


def format_error(error: JobError) -> str:
    """Format an error as the command line does."""
    return str(LlmevalError(error.what, where=error.where, hint=error.hint))
