"""A page of jobs, as the API returns it and its client reads it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from llmeval_server.jobs.job_records import Job


class JobList(BaseModel):
    """Some jobs, newest first."""

    model_config = ConfigDict(frozen=True)

    jobs: tuple[Job, ...]
    n_jobs: int = Field(description="Number of all jobs in these states.")
