"""A model whose copies live in Ray workers; to the run it is one model like any other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import ray

from llmeval_core.hooks import Generation, LlmevalError, Request
from llmeval_ray_executor.cluster import RayCluster
from llmeval_ray_executor.ray_worker import RayWorker
from llmeval_ray_executor.request_queue import RequestQueue
from llmeval_ray_executor.settings import RaySettings
from llmeval_ray_executor.worker_limits import WorkerLimits
from llmeval_ray_executor.worker_slot import WorkerSlot

_log = logging.getLogger("llmeval")


class RayModel:
    """Answers with whichever worker has free capacity.

    Args:
        settings: how many workers, and what each of them gets.
        factory: the pickled `ModelFactory` that each opens.
        limits: how much each is given.
        cluster: is released when all workers are gone.
    """

    def __init__(
        self,
        settings: RaySettings,
        factory: bytes,
        *,
        limits: WorkerLimits,
        cluster: RayCluster,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._queue = RequestQueue(settings.chunk_size)
        self._some_ready, self._none_ready = asyncio.Event(), asyncio.Event()
        self._none_ready.set()

        def spawn() -> Any:  # Any: Ray's handles have no static type
            return _actor_class(settings).remote(
                limits.concurrency, limits.request_timeout_s, settings.chunk_size
            )

        self._slots = [
            WorkerSlot(
                number,
                self._queue,
                spawn=spawn,
                factory=factory,
                limits=limits,
                changed=self._count_ready,
            )
            for number in range(1, settings.actors + 1)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._callbacks: list[Callable[[], None]] = []

    @property
    def capacity(self) -> int:
        """How many requests may be with the workers that are ready now; at least 1."""
        return max(1, sum(slot.capacity for slot in self._slots if slot.ready))

    def on_capacity_change(self, callback: Callable[[], None]) -> None:
        """Call this whenever a worker becomes ready, or is lost."""
        self._callbacks.append(callback)

    async def start(self) -> None:
        """Spawn the workers and wait for the first that is ready; the others join later.

        Raises:
            LlmevalError: there will be none.
        """
        self._tasks = [asyncio.create_task(slot.work()) for slot in self._slots]
        self._tasks.append(asyncio.create_task(self._watch()))
        for task in self._tasks:
            task.add_done_callback(self._ended)
        await self._some_ready.wait()
        if self._queue.failure is not None:
            raise self._queue.failure

    async def generate(self, request: Request) -> Generation:
        """Let a worker answer; see `RequestQueue.submit`."""
        return await self._queue.submit(request)

    async def aclose(self) -> None:
        """Let the workers close their copies, and end them."""
        try:
            await asyncio.gather(*(slot.close() for slot in self._slots))
        finally:
            self._queue.fail(LlmevalError("the model is closed"))
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._cluster.report_workers(self, 0)
            await self._cluster.release()

    def _count_ready(self) -> None:
        n_ready = sum(slot.ready for slot in self._slots)
        self._queue.n_workers = n_ready
        self._cluster.report_workers(self, n_ready)
        if n_ready:
            self._none_ready.clear()
            self._some_ready.set()
        else:
            self._some_ready.clear()
            self._none_ready.set()
        for callback in self._callbacks:
            callback()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Fail when the last slot is given up, or when the model cannot be opened at all."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            self._fail(LlmevalError(f"Ray failed: {type(error).__name__}: {error}"))
        open_errors = [slot.open_error for slot in self._slots if slot.open_error is not None]
        if open_errors and not self._queue.n_workers:
            self._fail(open_errors[0])
        elif all(done.done() for done in self._tasks[: len(self._slots)]):
            self._fail(
                LlmevalError(
                    f"all {len(self._slots)} Ray workers were lost, again and again",
                    where="executor 'ray'",
                    hint="is there memory enough for a copy of the model in each worker? "
                    "run again to go on where it stopped",
                )
            )

    async def _watch(self) -> None:
        """Fail when no worker has been ready for `start_timeout_s`.

        While other models of the run have workers, this one waits for their places.
        """
        timeout_s, time = self._settings.start_timeout_s, asyncio.get_running_loop().time
        while self._queue.failure is None:
            since = time()
            while not self._some_ready.is_set():
                left_s = max(since, self._cluster.last_used()) + timeout_s - time()
                if left_s <= 0:
                    self._fail(await self._no_worker_error(timeout_s))
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await self._some_ready.wait()
            if self._queue.failure is None:
                await self._none_ready.wait()

    async def _no_worker_error(self, timeout_s: float) -> LlmevalError:
        have: dict[str, float] = await asyncio.to_thread(ray.cluster_resources)
        settings = self._settings
        needs = {"CPU": settings.num_cpus, "GPU": settings.num_gpus, **settings.resources}
        listed = ", ".join(
            f"{name} {need:g} of {have.get(name, 0):g}" for name, need in needs.items() if need
        )
        return LlmevalError(
            f"no Ray worker was ready within {timeout_s:g} s",
            where="executor 'ray'",
            hint=f"a worker needs, of all that the cluster has: {listed}; `ray status` tells "
            "what is free; start_timeout_s is how long a model may take to load",
        )

    def _fail(self, failure: LlmevalError) -> None:
        self._queue.fail(failure)
        self._some_ready.set()


def _actor_class(settings: RaySettings) -> Any:  # Any: Ray's actor classes have no static type
    """Return Ray's class for workers, spread over the machines of the cluster.

    Lost workers are replaced by us and not by Ray, which would hide that one began anew.
    """
    return ray.remote(RayWorker).options(
        num_cpus=settings.num_cpus,
        num_gpus=settings.num_gpus,
        resources=settings.resources,
        max_restarts=0,
        max_task_retries=0,
        scheduling_strategy="SPREAD",
    )
