"""Answers the requests of a run with workers on a Ray cluster."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from llmeval_core.hooks import (
    Failure,
    Generation,
    LlmevalError,
    Model,
    ModelJob,
    ModelRecipe,
    Request,
)
from llmeval_ray_executor.cluster import Cluster
from llmeval_ray_executor.settings import RaySettings

AHEAD = 0.25
"""Requests that wait in a worker, for each that it serves: it need not wait for the next."""


class RayExecutor:
    """Opens a run's models in Ray workers and leaves the asking to the local executor.

    So retries, rate limits and the journal are in one process, for the cluster as a whole; a
    worker only attempts what it is given.

    Attributes:
        n_copies: see `contracts.Executor`.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = settings
        self._cluster = Cluster(settings)
        self.n_copies = settings.actors

    async def run(
        self,
        job: ModelJob,
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
        each = self._settings.concurrency_per_actor or math.ceil(job.concurrency / n_actors)
        ahead = math.ceil(AHEAD * each)
        opener = partial(self._open, each, ahead, job.request_timeout_s)
        there = dataclasses.replace(
            job,
            open=partial(open_by, opener),
            concurrency=min(job.concurrency, n_actors * (each + ahead)),
            request_timeout_s=math.inf,  # the worker counts, from when it begins
        )
        await local.run(there, requests, finish)

    async def _open(
        self, concurrency: int, ahead: int, request_timeout_s: float, recipe: ModelRecipe
    ) -> Model:
        ray = await self._cluster.enter()
        # Late, because it imports Ray, for which the cluster has prepared the environment.
        from llmeval_ray_executor.model import RayModel  # noqa: PLC0415

        try:
            model = RayModel(
                self._settings,
                _pickled(recipe, ray.cloudpickle.dumps),
                concurrency=concurrency,
                ahead=ahead,
                request_timeout_s=request_timeout_s,
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


def _pickled(recipe: ModelRecipe, dumps: Callable[[object], bytes]) -> bytes:
    try:
        return dumps(recipe)
    except Exception as err:  # the border: a provider is foreign code, and may hold anything
        raise LlmevalError(
            f"this model cannot be sent to another process: {type(err).__name__}: {err}",
            where="executor 'ray'",
            hint="its plugin's provider must be picklable; tell its author",
        ) from err
