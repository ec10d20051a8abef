"""What runs in a Ray actor: one copy of the model, requests in, answers out.

Each request is attempted once: to try again, and when, is decided in the run, for all workers
together. A message costs more than most answers, so one call brings requests and waits for answers
to others. While it waits, `give` brings more; so no request waits for an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import socket
import sys
import time
from functools import partial

from llmeval_core.hooks import Model, ModelFactory, Request
from llmeval_ray_executor.wire import (
    GATHER_BUSY_S,
    GATHER_S,
    Answer,
    Outcome,
    Refusal,
    packed,
    unpacked_questions,
)

CLOSING_S = 5.0
"""How long a model may take to close, seconds."""
GIL_S = 0.0005
"""How long Ray's threads wait for a model that computes in Python, seconds; ten times as long by
default, several times a message."""
SLICE_S = 0.001
"""How long requests may compute in one round of the event loop before the others wait for the next
one, seconds; so a model that does not await lets an answer go before it computes them all."""


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
        self._enough = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._round_began: float | None = None

    async def open(self, recipe: bytes) -> str | Refusal:
        """Open the model of a pickled `ModelFactory`; return who we are, for messages."""
        name = f"{socket.gethostname()}, process {os.getpid()}"
        try:
            unpickled = pickle.loads(recipe)  # noqa: S301  the run itself made it
        except Exception as err:  # noqa: BLE001  the border: unpickling imports foreign code
            return Refusal(
                None,
                f"the model's plugin cannot be loaded on {name}: {type(err).__name__}: {err}",
                hint="install the same packages on every machine of the cluster",
            )
        assert isinstance(unpickled, ModelFactory)
        sys.setswitchinterval(GIL_S)
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

    async def exchange(self, questions: bytes) -> bytes:
        """Begin to answer packed questions; return the next answers packed, each once."""
        await self.give(questions)
        await self._enough.wait()
        taken = self._answers[: self._chunk_size]
        del self._answers[: self._chunk_size]
        self._enough.clear()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._answers:
            self._enough.set()
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
        if len(self._answers) >= min(len(self._tasks), self._chunk_size):
            self._enough.set()
        elif self._alarm is None:
            gather_s = GATHER_BUSY_S if self._free.locked() else GATHER_S
            self._alarm = asyncio.get_running_loop().call_later(gather_s, self._enough.set)

    async def _next_round(self) -> None:
        """Wait while others have computed in this round of the event loop."""
        while True:
            now = time.perf_counter()
            if self._round_began is None:
                self._round_began = now
                asyncio.get_running_loop().call_soon(self._end_round)
            if now - self._round_began < SLICE_S:
                return
            await asyncio.sleep(0)

    def _end_round(self) -> None:
        self._round_began = None

    async def _answer(self, request: Request) -> Outcome:
        assert self._model is not None
        try:
            async with self._free:
                await self._next_round()
                async with asyncio.timeout(self._timeout_s):
                    return await self._model.generate(request)
        except TimeoutError:
            return Refusal("timeout", f"no answer within {self._timeout_s:g} s")
        except Exception as err:  # noqa: BLE001  the border: a model is foreign code
            return Refusal.of(err)
