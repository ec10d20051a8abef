"""N workers on one source: work is pulled, so nothing waits in memory; and how tasks are ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SharedSource(AsyncIterator[T]):
    """Lets several workers pull from one async iterator, which by itself allows only one.

    All waiting workers are woken at once, and not one after another as by a lock: requests then
    leave together, answers come back together, and the event loop polls once for many.
    """

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._free = asyncio.Event()
        self._free.set()
        self._ended = False

    async def __anext__(self) -> T:
        while not self._free.is_set():
            await self._free.wait()
        if self._ended:
            raise StopAsyncIteration
        self._free.clear()
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            self._ended = True
            raise
        finally:
            self._free.set()


async def pull(
    source: AsyncIterator[T], work: Callable[[T], Awaitable[None]], *, n_workers: int
) -> None:
    """Do all the work of a source with at most `n_workers` at a time.

    The first error stops all workers and is raised.
    """
    await _WorkerPool(source, work, n_workers=n_workers).run()


async def cancel_and_wait(
    tasks: Iterable[asyncio.Task[Any]], *, within_s: float = math.inf
) -> None:
    """Cancel tasks and wait until they have ended, however often the one that waits is cancelled.

    A task that outlived its owner would use what the owner closes. A further cancellation is passed
    on to those that have not ended, and raised again at the end.

    Args:
        tasks: what they return or raise is not looked at (Any); some may have ended.
        within_s: no longer than this, seconds.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + within_s
    cancelled: asyncio.CancelledError | None = None
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
    while left and (timeout_s := give_up_at - loop.time()) > 0:
        try:
            await asyncio.wait(left, timeout=None if timeout_s == math.inf else timeout_s)
        except asyncio.CancelledError as err:
            cancelled = err
            for task in left:
                task.cancel()
        left = [task for task in left if not task.done()]
    if cancelled is not None:
        raise cancelled


class _WorkerPool(Generic[T]):
    """Workers that are started as there is work for them.

    It begins with one worker. Whenever every worker has an item, their number is doubled, up to
    `n_workers`: a source of ten items does not pay for 256 workers, and eight rounds of the event
    loop start as many.
    """

    def __init__(
        self, source: AsyncIterator[T], work: Callable[[T], Awaitable[None]], *, n_workers: int
    ) -> None:
        self._source = SharedSource(source)
        self._work = work
        self._max_workers = n_workers
        self._workers: list[asyncio.Task[None]] = []
        self._n_idle = 0
        self._n_running = 0
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Return when the source is exhausted and all its work is done."""
        self._start(1)
        try:
            await self._ended
        finally:
            await cancel_and_wait(self._workers)

    def _start(self, n_workers: int) -> None:
        for _ in range(n_workers):
            worker = asyncio.create_task(self._pull())
            worker.add_done_callback(self._note_end)
            self._workers.append(worker)
        self._n_idle += n_workers
        self._n_running += n_workers

    async def _pull(self) -> None:
        async for item in self._source:
            self._n_idle -= 1
            n_workers = len(self._workers)
            if not self._n_idle and n_workers < self._max_workers:
                self._start(min(n_workers, self._max_workers - n_workers))
            await self._work(item)
            self._n_idle += 1

    def _note_end(self, worker: asyncio.Task[None]) -> None:
        """End the pool with the first worker that failed, or with the last one."""
        self._n_running -= 1
        error = None if worker.cancelled() else worker.exception()
        if self._ended.done():
            return
        if worker.cancelled():
            self._ended.cancel()
        elif error is not None:
            self._ended.set_exception(error)
        elif not self._n_running:
            self._ended.set_result(None)
