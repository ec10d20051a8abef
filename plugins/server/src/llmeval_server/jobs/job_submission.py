"""Submits a planned run file as a job."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from llmeval_core.hooks import ConfigError
from llmeval_server.jobs.job_records import Job
from llmeval_server.jobs.job_store import JobStore
from llmeval_server.planning.plan_messages import PlannedRun
from llmeval_server.planning.run_file_check import MAX_JOB_NAME_LENGTH


async def submit(
    jobs: JobStore, planned: PlannedRun, *, name: str = "", key: str | None = None
) -> Job:
    """Accept a planned run file as a job; durable on return.

    Args:
        jobs: the job store.
        planned: the run file.
        name: the job's name; its models and data sets if empty.
        key: an idempotency key.

    Raises:
        LlmevalError: the name is not valid, or the job cannot be stored.
    """
    name = _checked_name(name) or planned.name
    return await run_in_threadpool(jobs.submit, planned.run, name=name, key=key)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > MAX_JOB_NAME_LENGTH or not name.isprintable():
        raise ConfigError(
            f"a job's name is one line of at most {MAX_JOB_NAME_LENGTH} characters", where="name"
        )
    return name
