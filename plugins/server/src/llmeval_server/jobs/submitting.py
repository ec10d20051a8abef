"""From what a client sends to an accepted job: check it, call it by a name, keep it."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from llmeval_core.hooks import ConfigError
from llmeval_server.jobs.records import Job
from llmeval_server.jobs.store import JobStore
from llmeval_server.planning.checking import LONGEST_JOB_NAME
from llmeval_server.planning.messages import Planned


async def submit(
    jobs: JobStore, planned: Planned, *, name: str = "", key: str | None = None
) -> Job:
    """Accept a run file that was checked as a job; durable on return.

    Args:
        jobs: where it is kept.
        planned: the run file.
        name: what people call the job; models and data sets if empty.
        key: an idempotency key.

    Raises:
        LlmevalError: its name is none, or it cannot be kept.
    """
    name = _name(name) or planned.name
    return await run_in_threadpool(jobs.submit, planned.run, name=name, key=key)


def _name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > LONGEST_JOB_NAME or not name.isprintable():
        raise ConfigError(
            f"a job's name is one line of at most {LONGEST_JOB_NAME} characters", where="name"
        )
    return name
