"""A job's server-sent events for one client: what has changed since it last listened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from fastapi.sse import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from llmeval_server.jobs.job_records import ENDED, Job
from llmeval_server.jobs.job_store import JobStore
from llmeval_server.rest_api.job_poller import JobPoller, JobSnapshot

_POLL_S = 0.5
_RETRY = ServerSentEvent(retry=2000)
"""Tells clients to reconnect after two seconds."""


class StreamFinishedError(Exception):
    """The client has received all events already, and must not reconnect."""


@dataclass(frozen=True, slots=True)
class EventPosition:
    """How far a client has followed a job: the id of the last event that it received."""

    attempt: int
    state: str
    sequence: int

    @classmethod
    def of(cls, snapshot: JobSnapshot) -> EventPosition:
        """Return the position after all events up to a snapshot."""
        return cls(snapshot.job.attempt, snapshot.job.state, snapshot.progress.sequence)

    @classmethod
    def parse(cls, text: str | None) -> EventPosition | None:
        """Parse a Last-Event-ID; None if it is missing or not one of ours."""
        attempt, _, rest = (text or "").partition(".")
        state, _, sequence = rest.partition(".")
        if not (attempt.isdecimal() and sequence.isdecimal() and len(sequence) < 20):
            return None
        return cls(int(attempt[:9]), state, int(sequence))

    def __str__(self) -> str:
        return f"{self.attempt}.{self.state}.{self.sequence}"

    def is_end_of(self, job: Job) -> bool:
        """Whether the job is over and the client has received its end."""
        return self.state in ENDED and (self.attempt, self.state) == (job.attempt, job.state)


async def job_events(
    poller: JobPoller, job_id: str, last: EventPosition | None
) -> AsyncIterator[ServerSentEvent]:
    """Yield `job` on each change of state, `progress` on each step, and `end` at the end.

    Args:
        poller: follows the job.
        job_id: an existing job.
        last: the position after which to continue; from the beginning if None.
    """
    yield _RETRY
    async with aclosing(poller.follow(job_id)) as snapshots:
        async for snapshot in snapshots:
            now = EventPosition.of(snapshot)
            job = snapshot.job.model_dump_json()
            changes: list[tuple[str, str]] = []
            if last is None or (last.attempt, last.state) != (now.attempt, now.state):
                changes.append(("job", job))
            if last is None or last.sequence != now.sequence:
                changes.append(("progress", snapshot.progress.model_dump_json()))
            if snapshot.job.is_over:
                changes.append(("end", job))
            # Only the last event of a snapshot has its id: a client that was cut off in between
            # receives all of them again.
            ids = [str(last) if last is not None else ""] * (len(changes) - 1) + [str(now)]
            for (name, data), event_id in zip(changes, ids, strict=False):
                yield ServerSentEvent(event=name, raw_data=data, id=event_id)
            last = now


async def log_events(jobs: JobStore, job_id: str, offset: int) -> AsyncIterator[ServerSentEvent]:
    """Yield `log` with what is appended from a byte offset on, and `end` when the job is over."""
    yield _RETRY
    while True:
        job = await run_in_threadpool(jobs.get, job_id)
        text, end = await run_in_threadpool(jobs.log, job_id, offset=offset)
        if text:
            offset = end
            data = json.dumps({"text": text})
            yield ServerSentEvent(event="log", raw_data=data, id=str(offset))
        elif job.is_over:
            yield ServerSentEvent(event="end", raw_data=job.model_dump_json(), id=str(offset))
            return
        else:
            await asyncio.sleep(_POLL_S)
