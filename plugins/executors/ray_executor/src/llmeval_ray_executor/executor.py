"""Answers the requests of a run with workers on a Ray cluster."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Protocol, runtime_checkable

from llmeval_core.hooks import (
    ExecutionRequest,
    Failure,
    Generation,
    LlmevalError,
    Model,
    ModelFactory,
    Request,
)
from llmeval_ray_executor.cluster import Cluster
from llmeval_ray_executor.gate import Gate
from llmeval_ray_executor.settings import RaySettings
from llmeval_ray_executor.terms import Terms

AHEAD = 16
"""Most requests that wait in a worker besides those that it serves: it need not wait for the next,
and few messages bring many. How many do, depends on how fast it is."""


@runtime_checkable
class HasRoom(Protocol):
    """A model that knows how many requests may be with it now: `RayModel`, imported late."""

    @property
    def room(self) -> int:
        """See above."""

    def when_changed(self, look: Callable[[], None]) -> None:
        """Call this when there may be more room, though nothing was answered."""


class RayExecutor:
    """Opens a run's models in Ray workers and leaves the asking to the local executor.

    So retries, rate limits and the journal are in one process, for the cluster as a whole; a
    worker only attempts what it is given.

    Attributes:
        n_copies, n_ahead: see `contracts.Executor`.
    """

    prefetch_per_replica = AHEAD

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings)
        self.n_replicas = settings.actors

    async def run(
        self,
        job: ExecutionRequest,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        """Answer all requests; see `contracts.Executor`.

        Raises:
            ModelError: the model cannot be used at all.
            LlmevalError: the cluster cannot be used, or all its workers were lost.
        """
        local, open_by = job.local, job.open_by
        if local is None or open_by is None:
            raise LlmevalError("the Ray executor needs a job that the engine made")
        n_actors = self._settings.actors
        ahead = 0 if job.sample_timeout_s is not None else AHEAD  # a sample's time would run
        each = self._settings.concurrency_per_actor or math.ceil(job.concurrency / n_actors)
        opener = partial(self._open, each, ahead, job.request_timeout_s)
        copies: HasRoom | None = None

        async def opened() -> Model:
            nonlocal copies
            model = await open_by(opener)
            assert isinstance(model, HasRoom)  # slow, hence once: `_open` made it
            copies = model
            model.when_changed(gate.look_again)
            gate.look_again()
            return model

        def room() -> int:
            return copies.room if copies is not None else 1  # the first request opens the model

        async def finish_and_leave(request: Request, answer: Generation | Failure) -> None:
            await finish(request, answer)
            gate.left()

        gate = Gate(requests, room)
        there = dataclasses.replace(
            job,
            open=opened,
            concurrency=min(job.concurrency, n_actors * (each + ahead)),
            request_timeout_s=math.inf,  # the worker counts, from when it begins
        )
        await local.run(there, gate, finish_and_leave)

    async def _open(
        self, concurrency: int, ahead: int, request_timeout_s: float, recipe: ModelFactory
    ) -> Model:
        ray = await self._cluster.enter()
        # Late, because it imports Ray, for which the cluster has prepared the environment.
        from llmeval_ray_executor.model import RayModel  # noqa: PLC0415

        try:
            model = RayModel(
                self._settings,
                _pickled(recipe, ray.cloudpickle.dumps),
                terms=Terms(
                    _at_once_in_a_copy(recipe, concurrency),
                    ahead,
                    request_timeout_s,
                    self._settings.max_restarts,
                    rests=recipe.provider.describe(recipe.model).endpoint is None,
                ),
                cluster=self._cluster,
            )
        except BaseException:
            await self._cluster.leave()
            raise
        try:
            await model.start()
        except BaseException:
            await model.aclose()
            raise
        return model


def _at_once_in_a_copy(recipe: ModelFactory, most: int) -> int:
    """Say how many requests a copy serves at once; a server's own limit is for all together."""
    info = recipe.provider.describe(recipe.model)
    if info.endpoint is not None or info.max_concurrency is None:
        return most
    return min(most, info.max_concurrency)


def _pickled(recipe: ModelFactory, dumps: Callable[[object], bytes]) -> bytes:
    try:
        return dumps(recipe)
    except Exception as err:  # the border: a provider is foreign code, and may hold anything
        raise LlmevalError(
            f"this model cannot be sent to another process: {type(err).__name__}: {err}",
            where="executor 'ray'",
            hint="its plugin's provider must be picklable; tell its author",
        ) from err
