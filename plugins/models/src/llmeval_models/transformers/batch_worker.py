"""Requests put together to batches, and computed in a thread one batch after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")

_LINGER_S = 0.005
"""How long a batch that is not full waits for more, seconds."""


class BatchWorker(Generic[JobT, ResultT]):
    """Runs jobs in batches of what can be computed together, oldest first.

    States: *idle*, no job waits; *lingering*, some wait and more may come; *running*, a batch is in
    the thread, and what comes waits for the next. Jobs that nobody awaits any more are passed over.

    Args:
        run: computes a batch, in a thread; one result for each job.
        kind: jobs of one kind go together.
        batch_size: most jobs of a batch.
    """

    def __init__(
        self,
        run: Callable[[Sequence[JobT]], Sequence[ResultT]],
        *,
        kind: Callable[[JobT], Hashable],
        batch_size: int,
    ) -> None:
        self._run = run
        self._kind = kind
        self._batch_size = batch_size
        self._waiting: list[tuple[JobT, asyncio.Future[ResultT]]] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llmeval-batches")

    async def submit(self, job: JobT) -> ResultT:
        """Compute one job with others.

        Raises:
            Exception: what `run` raised for its batch.
        """
        done: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await done

    async def aclose(self) -> None:
        """Let the batch that runs end, and run no other."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for _, done in self._waiting:
            done.cancel()
        self._waiting.clear()
        await asyncio.to_thread(self._thread.shutdown)

    async def _work(self) -> None:
        """Run batches until no job waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            if len(self._waiting) < self._batch_size:
                await asyncio.sleep(_LINGER_S)
            batch = self._next_batch()
            if not batch:
                continue
            jobs = [job for job, _ in batch]
            try:
                results = await loop.run_in_executor(self._thread, self._run, jobs)
                for (_, done), result in zip(batch, results, strict=True):
                    if not done.done():
                        done.set_result(result)
            except Exception as err:  # noqa: BLE001  whoever waits for the job is told
                for _, done in batch:
                    if not done.done():
                        done.set_exception(err)

    def _next_batch(self) -> list[tuple[JobT, asyncio.Future[ResultT]]]:
        """Take the oldest job with those of its kind."""
        self._waiting = [one for one in self._waiting if not one[1].done()]
        if not self._waiting:
            return []
        kind = self._kind(self._waiting[0][0])
        same = [one for one in self._waiting if self._kind(one[0]) == kind][: self._batch_size]
        chosen = {id(one) for one in same}
        self._waiting = [one for one in self._waiting if id(one) not in chosen]
        return same
