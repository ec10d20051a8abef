"""What runs in a Ray actor: one copy of the model, requests in, answers out.

Each request is attempted once: to try again, and when, is decided in the run, for all workers
together. `give` and `take` are separate so that an answer waits for no other request.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import socket
from functools import partial

from llmeval_core.hooks import Model, ModelRecipe, Request
from llmeval_ray_executor.wire import (
    COMPANY,
    GATHER_S,
    Answer,
    Outcome,
    Refusal,
    packed,
    unpacked_questions,
)

CLOSING_S = 5.0
"""How long a model may take to close, seconds."""


class Worker:
    """Answers with one copy of a model.

    Args:
        concurrency: most requests under way at once; more may wait here.
        request_timeout_s: longest time for one request, seconds.
        chunk_size: most answers in one message.
    """

    def __init__(self, concurrency: int, request_timeout_s: float, chunk_size: int) -> None:
        self._free = asyncio.Semaphore(concurrency)
        self._timeout_s = request_timeout_s
        self._chunk_size = chunk_size
        self._model: Model | None = None
        self._tasks: dict[int, asyncio.Task[Outcome]] = {}
        self._answers: list[Answer] = []
        self._some, self._enough = asyncio.Event(), asyncio.Event()

    async def open(self, recipe: bytes) -> str | Refusal:
        """Open the model of a pickled `ModelRecipe`; return who we are, for messages."""
        name = f"{socket.gethostname()}, process {os.getpid()}"
        try:
            unpickled = pickle.loads(recipe)  # noqa: S301  the run itself made it
        except Exception as err:  # noqa: BLE001  the border: unpickling imports foreign code
            return Refusal(
                None,
                f"the model's plugin cannot be loaded on {name}: {type(err).__name__}: {err}",
                hint="install the same packages on every machine of the cluster",
            )
        assert isinstance(unpickled, ModelRecipe)
        try:
            self._model = await unpickled.open()
        except Exception as err:  # noqa: BLE001  the border: a provider is foreign code
            return Refusal.of(err)
        return name

    async def give(self, questions: bytes) -> None:
        """Begin to answer packed questions; returns at once."""
        for number, request in unpacked_questions(questions):
            task = self._tasks[number] = asyncio.create_task(self._answer(request))
            task.add_done_callback(partial(self._ended, number))

    async def drop(self, numbers: list[int]) -> None:
        """Stop with requests that nobody waits for any more; each still gets an answer."""
        for number in numbers:
            if number in self._tasks:
                self._tasks[number].cancel()

    async def take(self) -> bytes:
        """Wait until there are answers, and hand them over packed, each once."""
        while not self._answers:
            self._some.clear()
            await self._some.wait()
        if not self._are_enough():
            self._enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._enough.wait()
        taken = self._answers[: self._chunk_size]
        del self._answers[: self._chunk_size]
        return packed(taken)

    async def close(self) -> None:
        """Stop answering and close the model."""
        await self.drop(list(self._tasks))
        if self._model is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSING_S):
                    await self._model.aclose()

    def _ended(self, number: int, task: asyncio.Task[Outcome]) -> None:
        del self._tasks[number]
        dropped = Refusal("timeout", "nobody waits for the answer any more")
        self._answers.append((number, dropped if task.cancelled() else task.result()))
        self._some.set()
        if self._are_enough():
            self._enough.set()

    def _are_enough(self) -> bool:
        """Whether the answers are worth a message."""
        return len(self._answers) >= min(len(self._tasks) // COMPANY, self._chunk_size)

    async def _answer(self, request: Request) -> Outcome:
        assert self._model is not None
        try:
            async with self._free, asyncio.timeout(self._timeout_s):
                return await self._model.generate(request)
        except TimeoutError:
            return Refusal("timeout", f"no answer within {self._timeout_s:g} s")
        except Exception as err:  # noqa: BLE001  the border: a model is foreign code
            return Refusal.of(err)
