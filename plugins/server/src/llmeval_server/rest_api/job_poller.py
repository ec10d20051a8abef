"""Polls the jobs that clients follow: each job once, however many clients follow it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.job_records import Job, JobProgress
from llmeval_server.jobs.job_store import JobStore

_log = logging.getLogger("llmeval")
_POLL_S = 0.3


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job and its progress at one moment."""

    job: Job
    progress: JobProgress


@dataclass(slots=True)
class _PolledJob:
    """One job with followers; `changed` is set, and replaced, with each new snapshot."""

    n_followers: int = 0
    snapshot: JobSnapshot | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    polling: asyncio.Task[None] | None = None

    def notify(self) -> None:
        """Wake the followers."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class JobPoller:
    """Polls each followed job in one task, and hands its snapshots to all followers.

    Args:
        jobs: the job store.
    """

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._polled: dict[str, _PolledJob] = {}

    async def follow(self, job_id: str) -> AsyncGenerator[JobSnapshot, None]:
        """Yield a snapshot of an existing job after each change until it is over."""
        polled = self._polled.setdefault(job_id, _PolledJob())
        polled.n_followers += 1
        if polled.polling is None:
            polled.polling = asyncio.create_task(self._poll(job_id, polled))
        seen: JobSnapshot | None = None
        try:
            while seen is None or not seen.job.is_over:
                changed, snapshot = polled.changed, polled.snapshot
                if snapshot is not None and snapshot is not seen:
                    seen = snapshot
                    yield snapshot
                    continue
                if polled.polling.done():
                    polled.polling.result()  # raises the bug that ended it
                await changed.wait()
        finally:
            polled.n_followers -= 1
            if polled.n_followers == 0:
                polled.polling.cancel()
                self._forget(job_id, polled)

    async def _poll(self, job_id: str, polled: _PolledJob) -> None:
        """Poll one job until it is over."""
        try:
            while True:
                try:
                    snapshot = await run_in_threadpool(self._snapshot, job_id)
                except LlmevalError as err:  # the store may come back, or the clients leave
                    _log.warning("job %s cannot be looked at: %s", job_id, err.what)
                else:
                    if snapshot != polled.snapshot:
                        polled.snapshot = snapshot
                        polled.notify()
                    if snapshot.job.is_over:
                        return
                await asyncio.sleep(_POLL_S)
        finally:
            self._forget(job_id, polled)  # the job may be retried: new followers poll it again
            polled.notify()

    def _forget(self, job_id: str, polled: _PolledJob) -> None:
        if self._polled.get(job_id) is polled:
            del self._polled[job_id]

    def _snapshot(self, job_id: str) -> JobSnapshot:
        job = self._jobs.get(job_id)  # first: once it is over, its progress is final
        return JobSnapshot(job, self._jobs.progress(job_id))
