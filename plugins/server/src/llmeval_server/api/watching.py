"""Watching jobs: one look at a time for each job, however many clients follow it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.records import Job, JobProgress
from llmeval_server.jobs.store import JobStore

_log = logging.getLogger("llmeval")
_LOOK_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Sight:
    """A job and how far it is, at one moment."""

    job: Job
    progress: JobProgress


@dataclass(slots=True)
class _Watched:
    """One job that somebody follows; `changed` is replaced with each change."""

    n_followers: int = 0
    sight: Sight | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    looking: asyncio.Task[None] | None = None


class Watch:
    """Follows jobs.

    Args:
        jobs: where they are kept.
    """

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._watched: dict[str, _Watched] = {}

    async def follow(self, job_id: str, *, every_s: float) -> AsyncIterator[Sight | None]:
        """Give a job's state with each change until it is over; None if nothing changes for long.

        Args:
            job_id: which job; it must be there.
            every_s: how long without a change is long.
        """
        watched = self._watched.setdefault(job_id, _Watched())
        watched.n_followers += 1
        if watched.looking is None:
            watched.looking = asyncio.create_task(self._look(job_id, watched))
        seen: Sight | None = None
        try:
            while seen is None or not seen.job.is_over:
                changed, sight = watched.changed, watched.sight
                if sight is not None and sight is not seen:
                    seen = sight
                    yield sight
                    continue
                try:
                    async with asyncio.timeout(every_s):
                        await changed.wait()
                except TimeoutError:
                    if watched.looking.done():
                        watched.looking.result()  # a bug ended it: say so, and the client too
                    yield None
        finally:
            watched.n_followers -= 1
            if watched.n_followers == 0:
                watched.looking.cancel()
                self._forget(job_id, watched)

    async def _look(self, job_id: str, watched: _Watched) -> None:
        """Look at one job again and again, until it is over."""
        while watched.sight is None or not watched.sight.job.is_over:
            try:
                sight = await run_in_threadpool(self._see, job_id)
            except LlmevalError as err:  # it passes, or the clients leave
                _log.warning("job %s cannot be looked at: %s", job_id, err.what)
            else:
                if sight != watched.sight:
                    watched.sight = sight
                    changed, watched.changed = watched.changed, asyncio.Event()
                    changed.set()
            if watched.sight is None or not watched.sight.job.is_over:
                await asyncio.sleep(_LOOK_EVERY_S)
        self._forget(job_id, watched)  # it may be retried: who comes now must look again

    def _forget(self, job_id: str, watched: _Watched) -> None:
        if self._watched.get(job_id) is watched:
            del self._watched[job_id]

    def _see(self, job_id: str) -> Sight:
        job = self._jobs.get(job_id)  # first: when it is over, the progress is the last
        return Sight(job, self._jobs.progress(job_id))
