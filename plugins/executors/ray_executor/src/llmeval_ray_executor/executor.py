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
from llmeval_ray_executor.admission import AdmissionControl
from llmeval_ray_executor.cluster import RayCluster
from llmeval_ray_executor.settings import RaySettings
from llmeval_ray_executor.worker_limits import WorkerLimits

MAX_PREFETCH = 16
"""Most requests that wait in a worker besides those that it serves: it has the next one at hand,
and one message brings many. How many wait depends on how fast the worker is."""


@runtime_checkable
class HasCapacity(Protocol):
    """A model that says how many requests may be in flight: `RayModel`, which is imported late."""

    @property
    def capacity(self) -> int:
        """How many requests may be with its workers now."""

    def on_capacity_change(self, callback: Callable[[], None]) -> None:
        """Call this when the capacity may have grown though nothing was answered."""


class RayExecutor:
    """Opens a run's models in Ray workers and leaves sending requests to the local executor.

    So retries, rate limits and the journal are in one process, for the cluster as a whole; a
    worker only attempts what it is given.

    Attributes:
        n_replicas, prefetch_per_replica: see `contracts.Executor`.
    """

    prefetch_per_replica = MAX_PREFETCH

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._cluster = RayCluster(settings)
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
        # What waits in a worker uses up its sample's time.
        max_prefetch = 0 if job.sample_timeout_s is not None else MAX_PREFETCH
        each = self._settings.concurrency_per_actor or math.ceil(job.concurrency / n_actors)
        opener = partial(self._open, each, max_prefetch, job.request_timeout_s)
        replicas: HasCapacity | None = None

        async def opened() -> Model:
            nonlocal replicas
            model = await open_by(opener)
            assert isinstance(model, HasCapacity)  # slow, hence once: `_open` made it
            replicas = model
            model.on_capacity_change(admission.capacity_changed)
            admission.capacity_changed()
            return model

        def capacity() -> int:
            return replicas.capacity if replicas is not None else 1  # the first opens the model

        async def finish_and_release(request: Request, answer: Generation | Failure) -> None:
            await finish(request, answer)
            admission.release()

        admission = AdmissionControl(requests, capacity)
        on_cluster = dataclasses.replace(
            job,
            open=opened,
            concurrency=min(job.concurrency, n_actors * (each + max_prefetch)),
            request_timeout_s=math.inf,  # the worker measures, from when it begins
        )
        await local.run(on_cluster, admission, finish_and_release)

    async def _open(
        self,
        concurrency: int,
        max_prefetch: int,
        request_timeout_s: float,
        factory: ModelFactory,
    ) -> Model:
        ray = await self._cluster.acquire()
        # Late, because it imports Ray, for which the cluster has prepared the environment.
        from llmeval_ray_executor.model import RayModel  # noqa: PLC0415

        try:
            model = RayModel(
                self._settings,
                _pickled(factory, ray.cloudpickle.dumps),
                limits=WorkerLimits(
                    _concurrency_per_copy(factory, concurrency),
                    max_prefetch,
                    request_timeout_s,
                    self._settings.max_restarts,
                    cools_down=factory.provider.describe(factory.model).endpoint is None,
                ),
                cluster=self._cluster,
            )
        except BaseException:
            await self._cluster.release()
            raise
        try:
            await model.start()
        except BaseException:
            await model.aclose()
            raise
        return model


def _concurrency_per_copy(factory: ModelFactory, most: int) -> int:
    """Return how many requests a copy serves at once; a server's limit is for all copies."""
    info = factory.provider.describe(factory.model)
    if info.endpoint is not None or info.max_concurrency is None:
        return most
    return min(most, info.max_concurrency)


def _pickled(factory: ModelFactory, dumps: Callable[[object], bytes]) -> bytes:
    try:
        return dumps(factory)
    except Exception as err:  # the border: a provider is foreign code, and may hold anything
        raise LlmevalError(
            f"this model cannot be sent to another process: {type(err).__name__}: {err}",
            where="executor 'ray'",
            hint="its plugin's provider must be picklable; tell its author",
        ) from err
