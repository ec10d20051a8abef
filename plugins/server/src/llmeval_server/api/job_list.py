"""A page of jobs as the API gives it, and as its client reads it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from llmeval_server.jobs.records import Job


class JobList(BaseModel):
    """Some jobs, newest first."""

    model_config = ConfigDict(frozen=True)

    jobs: tuple[Job, ...]
    n_jobs: int = Field(description="Jobs in all, of the states asked for.")
