"""A job's events for one client: what changed since it last listened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from llmeval_server.api.server_sent_events import HEARTBEAT, HEARTBEAT_S, event
from llmeval_server.api.watching import Sight, Watch
from llmeval_server.jobs.records import ENDED, Job
from llmeval_server.jobs.store import JobStore

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Position:
    """How far a client has listened: the id of the last event that it got."""

    attempt: int
    state: str
    sequence: int

    @classmethod
    def of(cls, sight: Sight) -> Position:
        """Return the position of one who knows all this."""
        return cls(sight.job.attempt, sight.job.state, sight.progress.sequence)

    @classmethod
    def parse(cls, text: str | None) -> Position | None:
        """Read what a client sends as Last-Event-ID; None for what is not of ours."""
        attempt, _, rest = (text or "").partition(".")
        state, _, sequence = rest.partition(".")
        if not (attempt.isdecimal() and sequence.isdecimal() and len(sequence) < 20):
            return None
        return cls(int(attempt[:9]), state, int(sequence))

    def __str__(self) -> str:
        return f"{self.attempt}.{self.state}.{self.sequence}"

    def is_end_of(self, job: Job) -> bool:
        """Say whether there is nothing more to hear."""
        return self.state in ENDED and (self.attempt, self.state) == (job.attempt, job.state)


async def job_events(watch: Watch, job_id: str, last: Position | None) -> AsyncIterator[str]:
    """Stream `job` with each change of state, `progress` with each step, and `end` at the end."""
    async for sight in watch.follow(job_id, every_s=HEARTBEAT_S):
        if sight is None:
            yield HEARTBEAT
            continue
        now = Position.of(sight)
        job = sight.job.model_dump_json()
        # The last event of a step has its id: a client that got only a part hears all of it again.
        told: list[tuple[str, str]] = []
        if last is None or (last.attempt, last.state) != (now.attempt, now.state):
            told.append(("job", job))
        if last is None or last.sequence != now.sequence:
            told.append(("progress", sight.progress.model_dump_json()))
        if sight.job.is_over:
            told.append(("end", job))
        before = str(last) if last is not None else ""
        for index, (name, data) in enumerate(told):
            is_last = index == len(told) - 1
            yield event(name, data, event_id=str(now) if is_last else before)
        last = now


async def log_events(jobs: JobStore, job_id: str, offset: int) -> AsyncIterator[str]:
    """Stream `log` with what is written from a byte offset on, and `end` when the job is over."""
    quiet_s = 0.0
    while True:
        job = await run_in_threadpool(jobs.get, job_id)
        text, end = await run_in_threadpool(jobs.log, job_id, offset=offset)
        if text:
            offset, quiet_s = end, 0.0
            yield event("log", json.dumps({"text": text}), event_id=str(offset))
        elif job.is_over:
            yield event("end", job.model_dump_json(), event_id=str(offset))
            return
        else:
            quiet_s += _LOOK_EVERY_S
            if quiet_s >= HEARTBEAT_S:
                quiet_s = 0.0
                yield HEARTBEAT
            await asyncio.sleep(_LOOK_EVERY_S)
