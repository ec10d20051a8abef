"""A model whose copies live in Ray workers; to the run it is one model like any other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import ray

from llmeval_core.hooks import Generation, LlmevalError, Request
from llmeval_ray_executor.cluster import Cluster
from llmeval_ray_executor.member import Member
from llmeval_ray_executor.questions import Questions
from llmeval_ray_executor.settings import RaySettings
from llmeval_ray_executor.terms import Terms
from llmeval_ray_executor.worker import Worker

_log = logging.getLogger("llmeval")


class RayModel:
    """Answers with whichever worker has room.

    Args:
        settings: how many workers, and what each of them gets.
        recipe: the pickled `ModelRecipe` that each opens.
        terms: what is asked of each.
        cluster: is left when all workers are gone.
    """

    def __init__(
        self,
        settings: RaySettings,
        recipe: bytes,
        *,
        terms: Terms,
        cluster: Cluster,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._questions = Questions(settings.chunk_size)
        self._some_ready, self._none_ready = asyncio.Event(), asyncio.Event()
        self._none_ready.set()

        def hire() -> Any:  # Any: Ray's handles have no static type
            return _actor_class(settings).remote(
                terms.at_once, terms.request_timeout_s, settings.chunk_size
            )

        self._members = [
            Member(
                number,
                self._questions,
                hire=hire,
                recipe=recipe,
                terms=terms,
                changed=self._count,
            )
            for number in range(1, settings.actors + 1)
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._when_changed: list[Callable[[], None]] = []

    @property
    def room(self) -> int:
        """How many requests may be with the workers that are ready now; at least 1."""
        return max(1, sum(member.room for member in self._members if member.ready))

    def when_changed(self, look: Callable[[], None]) -> None:
        """Call this whenever a worker becomes ready, or is lost."""
        self._when_changed.append(look)

    async def start(self) -> None:
        """Hire the workers and wait for the first that is ready; the others join later.

        Raises:
            LlmevalError: there will be none.
        """
        self._tasks = [asyncio.create_task(member.work()) for member in self._members]
        self._tasks.append(asyncio.create_task(self._watch()))
        for task in self._tasks:
            task.add_done_callback(self._ended)
        await self._some_ready.wait()
        if self._questions.failure is not None:
            raise self._questions.failure

    async def generate(self, request: Request) -> Generation:
        """Let a worker answer; see `Questions.ask`."""
        return await self._questions.ask(request)

    async def aclose(self) -> None:
        """Let the workers close their copies, and end them."""
        try:
            await asyncio.gather(*(member.close() for member in self._members))
        finally:
            self._questions.fail(LlmevalError("the model is closed"))
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._cluster.count(self, 0)
            await self._cluster.leave()

    def _count(self) -> None:
        n_ready = sum(member.ready for member in self._members)
        self._questions.n_workers = n_ready
        self._cluster.count(self, n_ready)
        if n_ready:
            self._none_ready.clear()
            self._some_ready.set()
        else:
            self._some_ready.clear()
            self._none_ready.set()
        for look in self._when_changed:
            look()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Give up when the last place stays empty, or when the model cannot be opened at all."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            self._fail(LlmevalError(f"Ray failed: {type(error).__name__}: {error}"))
        refusals = [member.refusal for member in self._members if member.refusal is not None]
        if refusals and not self._questions.n_workers:
            self._fail(refusals[0])
        elif all(done.done() for done in self._tasks[: len(self._members)]):
            self._fail(
                LlmevalError(
                    f"all {len(self._members)} Ray workers were lost, again and again",
                    where="executor 'ray'",
                    hint="is there memory enough for a copy of the model in each worker? "
                    "run again to go on where it stopped",
                )
            )

    async def _watch(self) -> None:
        """Give up when there is no worker for too long.

        While other models of the run have workers, this one waits until they leave their places.
        """
        timeout_s, time = self._settings.start_timeout_s, asyncio.get_running_loop().time
        while self._questions.failure is None:
            since = time()
            while not self._some_ready.is_set():
                left_s = max(since, self._cluster.last_used()) + timeout_s - time()
                if left_s <= 0:
                    self._fail(await self._nobody(timeout_s))
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left_s):
                        await self._some_ready.wait()
            if self._questions.failure is None:
                await self._none_ready.wait()

    async def _nobody(self, timeout_s: float) -> LlmevalError:
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
        self._questions.fail(failure)
        self._some_ready.set()


def _actor_class(settings: RaySettings) -> Any:  # Any: Ray's actor classes have no static type
    """Make workers on different machines, if there are some.

    They are replaced by us and not by Ray, which would hide that one began anew.
    """
    return ray.remote(Worker).options(
        num_cpus=settings.num_cpus,
        num_gpus=settings.num_gpus,
        resources=settings.resources,
        max_restarts=0,
        max_task_retries=0,
        scheduling_strategy="SPREAD",
    )
