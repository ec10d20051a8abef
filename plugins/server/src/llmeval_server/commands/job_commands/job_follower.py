"""Follows a job until it is over, also across restarts of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import click

from llmeval_server.commands.job_commands.api_client import ApiClient, ServerEvent, UnreachableError
from llmeval_server.commands.job_commands.progress_view import JobView
from llmeval_server.jobs.job_records import Job, JobProgress

_GIVE_UP_AFTER_S = 120.0
_RETRY_S = 1.0


async def follow(api: ApiClient, job_id: str, view: JobView) -> Job:
    """Show the progress of a job, and return the job when it is over.

    Raises:
        ServerError: the server refuses, or could not be reached for two minutes.
    """
    async for event in resumed_events(api, f"jobs/{job_id}/events"):
        if event.name == "progress":
            view.show_progress(JobProgress.model_validate_json(event.data, extra="ignore"))
        elif event.name in ("job", "end"):
            job = Job.model_validate_json(event.data, extra="ignore")
            if event.name == "end":
                return job
            view.show_job(job)
    return await api.get(f"jobs/{job_id}", Job)


async def resumed_events(api: ApiClient, path: str, **params: Any) -> AsyncIterator[ServerEvent]:
    """Yield events until `end`, and resume the stream when the connection breaks.

    Any: query parameters.

    Raises:
        ServerError: as `follow`.
    """
    last: str | None = None
    received_at = time.monotonic()
    warned = False
    while True:
        try:
            async for event in api.events(path, last, **params):
                last, received_at, warned = event.id or last, time.monotonic(), False
                yield event
                if event.name == "end":
                    return
        except UnreachableError as err:
            if last is None or time.monotonic() - received_at > _GIVE_UP_AFTER_S:
                raise
            if not warned:
                click.echo(f"{err.what}; trying again", err=True)
                warned = True
        await asyncio.sleep(_RETRY_S)
