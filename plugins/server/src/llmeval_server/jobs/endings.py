"""How a job ended, as its workflow hands it over and the store keeps it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.records import JobError, JobOutcome


class Ending(BaseModel):
    """When it was, the numbers, and why it failed if it did; no numbers if it never ran."""

    model_config = ConfigDict(frozen=True)

    started_at: float | None = None
    ended_at: float | None = None
    outcome: JobOutcome | None = None
    errors: tuple[JobError, ...] = ()


def job_error(err: LlmevalError) -> JobError:
    """Keep what an error tells."""
    return JobError(what=err.what, where=err.where, hint=err.hint)


def told(error: JobError) -> str:
    """Say an error as the command line does."""
    return str(LlmevalError(error.what, where=error.where, hint=error.hint))
