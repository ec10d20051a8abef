"""An executor: models are asked from processes of their own.

Only the model is elsewhere: retries, limits and the journal stay with the local executor of the
job, which this one uses.
"""

from __future__ import annotations

import asyncio
import dataclasses
import multiprocessing
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any

from pydantic import Field

from llmeval_core.hooks import (
    Component,
    ExecutionRequest,
    Executor,
    Failure,
    FailureKind,
    Generation,
    LlmevalError,
    Model,
    ModelError,
    ModelFactory,
    Request,
    Settings,
    hookimpl,
)


class OtherProcessSettings(Settings):
    """What a user can set."""

    processes: int = Field(default=1, ge=1, description="How many requests are asked at once.")


class OtherProcessExecutor:
    """Opens models in other processes and leaves the asking to the local executor."""

    def __init__(self, settings: OtherProcessSettings) -> None:
        self._n_processes = settings.processes

    async def run(
        self,
        job: ExecutionRequest,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        """Answer all requests; see `Executor`.

        Raises:
            ModelError: the model cannot be used at all.
            LlmevalError: the job was made by hand and has no local executor.
        """
        if job.local is None or job.open_by is None:
            raise LlmevalError("this executor needs a job that the engine made")
        opened = partial(job.open_by, self._open)
        there = dataclasses.replace(
            job, open=opened, concurrency=min(job.concurrency, self._n_processes)
        )
        await job.local.run(there, requests, finish)

    async def _open(self, factory: ModelFactory) -> Model:
        return OtherProcessModel(factory, self._n_processes)


class OtherProcessModel:
    """Hands each request to a process that opens the model, asks it, and closes it.

    That is right for a model behind a server. One that loads weights should stay open: give each
    process one model for good.
    """

    def __init__(self, factory: ModelFactory, n_processes: int) -> None:
        self._factory = factory
        spawning = multiprocessing.get_context("spawn")  # a fork would copy the engine's threads
        self._pool = ProcessPoolExecutor(n_processes, mp_context=spawning)

    async def generate(self, request: Request) -> Generation:
        """Let a process answer.

        Raises:
            ModelError: as the model raised it; `connection` if the process died.
        """
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._pool, _answer, self._factory, request)
        except BrokenProcessPool as err:
            raise ModelError("connection", "the model's process died") from err
        if isinstance(answer, Generation):
            return answer
        raise ModelError(answer.kind, answer.what, retry_after_s=answer.retry_after_s)

    async def aclose(self) -> None:
        """End the processes."""
        await asyncio.to_thread(self._pool.shutdown)


@dataclasses.dataclass(frozen=True, slots=True)
class TransportedError:
    """A `ModelError` as data; the exception itself cannot be pickled."""

    kind: FailureKind
    what: str
    retry_after_s: float | None


def _answer(factory: ModelFactory, request: Request) -> Generation | TransportedError:
    """Answer one request; runs in the other process."""
    try:
        return asyncio.run(_ask(factory, request))
    except ModelError as err:
        return TransportedError(err.kind, err.what, err.retry_after_s)


async def _ask(factory: ModelFactory, request: Request) -> Generation:
    model = await factory.open()
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


@hookimpl
def llmeval_register_executors() -> Iterable[Component[Any, Executor]]:
    """Offer the executor; Any: its settings."""
    yield Component(
        "other_process",
        OtherProcessSettings,
        OtherProcessExecutor,
        "asks models from other processes",
        argument="processes",
    )
