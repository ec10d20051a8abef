"""A thread for a library that blocks; it never keeps the process from ending."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class WorkerThread:
    """Runs jobs one after the other in a daemon thread.

    A job that takes too long keeps its thread, and the next job gets a new one. With a pool of
    `concurrent.futures` the interpreter would wait for that job at exit.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[_Job | None] | None = None

    async def run(self, work: Callable[[], T], *, within_s: float) -> T:
        """Run a job and return what it returns; TimeoutError after `within_s` seconds."""
        if self._jobs is None:
            self._jobs = queue.SimpleQueue()
            threading.Thread(
                target=_work_off, args=(self._jobs,), name=self._name, daemon=True
            ).start()
        future: Future[T] = Future()
        self._jobs.put((work, future))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), within_s)
        except (TimeoutError, asyncio.CancelledError):
            self.stop()
            raise

    def stop(self) -> None:
        """Let the thread end after its job; the next `run` starts another."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = None


_Job = tuple[Callable[[], Any], Future[Any]]  # Any: each job has a type of its own


def _work_off(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        work, future = job
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(work())
        except BaseException as err:  # noqa: BLE001  the border of the thread: `run` re-raises it
            future.set_exception(err)
