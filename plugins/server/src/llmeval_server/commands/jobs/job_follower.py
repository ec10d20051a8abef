"""Watching a job until it is over, through restarts of the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import click

from llmeval_server.commands.jobs.api_client import ApiClient, Event, UnreachableError
from llmeval_server.commands.jobs.progress_view import View
from llmeval_server.jobs.job_records import Job, JobProgress

_PATIENCE_S = 120.0
_TRY_AGAIN_S = 1.0


async def follow(api: ApiClient, job_id: str, view: View) -> Job:
    """Show how a job goes on, and return it when it is over.

    Raises:
        ServerError: the server refuses, or has not answered for two minutes.
    """
    async for event in lasting_events(api, f"jobs/{job_id}/events"):
        if event.name == "progress":
            view.show_progress(JobProgress.model_validate_json(event.data, extra="ignore"))
        elif event.name in ("job", "end"):
            job = Job.model_validate_json(event.data, extra="ignore")
            if event.name == "end":
                return job
            view.show_job(job)
    return await api.get(f"jobs/{job_id}", Job)


async def lasting_events(api: ApiClient, path: str, **params: Any) -> AsyncIterator[Event]:
    """Listen until `end`, and again where it stopped if the server goes away.

    Any: query parameters.

    Raises:
        ServerError: as `follow`.
    """
    last: str | None = None
    heard_at = time.monotonic()
    warned = False
    while True:
        try:
            async for event in api.events(path, last, **params):
                last, heard_at, warned = event.id or last, time.monotonic(), False
                yield event
                if event.name == "end":
                    return
        except UnreachableError as err:
            if last is None or time.monotonic() - heard_at > _PATIENCE_S:
                raise
            if not warned:
                click.echo(f"{err.what}; trying again", err=True)
                warned = True
        await asyncio.sleep(_TRY_AGAIN_S)
