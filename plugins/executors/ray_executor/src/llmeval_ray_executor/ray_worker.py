"""What runs in a Ray actor: one copy of the model, which answers requests.

Each request is attempted once: whether and when to try again is decided in the run, for all
workers together. A message costs more than most answers, so one call brings requests and waits for
answers to earlier ones; meanwhile `give` brings more, so that no request waits for an answer.
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
from llmeval_ray_executor.worker_messages import (
    GATHER_BUSY_S,
    GATHER_S,
    AnswerOrError,
    NumberedAnswer,
    RemoteError,
    decode_requests,
    encode,
)

CLOSE_TIMEOUT_S = 5.0
"""How long a model may take to close, seconds."""
SWITCH_INTERVAL_S = 0.0005
"""How long Ray's threads wait for a model that computes in Python, seconds; Python's default is ten
times as long, several times what a message takes."""
SLICE_S = 0.001
"""How long requests may compute in one round of the event loop before the others wait for the next
round, seconds; so a model that does not await lets an answer go before it computes them all."""


class RayWorker:
    """Answers with one copy of a model.

    Args:
        concurrency: most requests that the model serves at once; more may wait here.
        request_timeout_s: longest time for one request, seconds.
        chunk_size: most answers in one message.
    """

    def __init__(self, concurrency: int, request_timeout_s: float, chunk_size: int) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout_s = request_timeout_s
        self._chunk_size = chunk_size
        self._model: Model | None = None
        self._tasks: dict[int, asyncio.Task[AnswerOrError]] = {}
        self._answers: list[NumberedAnswer] = []
        self._should_send = asyncio.Event()
        self._send_timer: asyncio.TimerHandle | None = None
        self._round_began: float | None = None

    async def open(self, factory: bytes) -> str | RemoteError:
        """Open the model of a pickled `ModelFactory`; return host and process, for messages."""
        name = f"{socket.gethostname()}, process {os.getpid()}"
        try:
            unpickled = pickle.loads(factory)  # noqa: S301  the run itself made it
        except Exception as err:  # noqa: BLE001  the border: unpickling imports foreign code
            return RemoteError(
                None,
                f"the model's plugin cannot be loaded on {name}: {type(err).__name__}: {err}",
                hint="install the same packages on every machine of the cluster",
            )
        assert isinstance(unpickled, ModelFactory)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        try:
            self._model = await unpickled.open()
        except Exception as err:  # noqa: BLE001  the border: a provider is foreign code
            return RemoteError.of(err)
        return name

    async def give(self, requests: bytes) -> None:
        """Begin to answer encoded requests; returns at once."""
        for number, request in decode_requests(requests):
            task = self._tasks[number] = asyncio.create_task(self._answer(request))
            task.add_done_callback(partial(self._ended, number))

    async def cancel(self, numbers: list[int]) -> None:
        """Stop with requests whose callers have given up; each still gets an answer."""
        for number in numbers:
            if number in self._tasks:
                self._tasks[number].cancel()

    async def exchange(self, requests: bytes) -> bytes:
        """Begin to answer encoded requests; return the next answers encoded, each once."""
        await self.give(requests)
        await self._should_send.wait()
        sent = self._answers[: self._chunk_size]
        del self._answers[: self._chunk_size]
        self._should_send.clear()
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None
        if self._answers:
            self._should_send.set()
        return encode(sent)

    async def close(self) -> None:
        """Stop answering and close the model."""
        await self.cancel(list(self._tasks))
        if self._model is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._model.aclose()

    def _ended(self, number: int, task: asyncio.Task[AnswerOrError]) -> None:
        del self._tasks[number]
        cancelled = RemoteError("timeout", "nobody waits for the answer any more")
        self._answers.append((number, cancelled if task.cancelled() else task.result()))
        if len(self._answers) >= min(len(self._tasks), self._chunk_size):
            self._should_send.set()
        elif self._send_timer is None:
            gather_s = GATHER_BUSY_S if self._slots.locked() else GATHER_S
            loop = asyncio.get_running_loop()
            self._send_timer = loop.call_later(gather_s, self._should_send.set)

    async def _next_round(self) -> None:
        """Wait for a round of the event loop in which others have not computed for too long."""
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

    async def _answer(self, request: Request) -> AnswerOrError:
        assert self._model is not None
        try:
            async with self._slots:
                await self._next_round()
                async with asyncio.timeout(self._timeout_s):
                    return await self._model.generate(request)
        except TimeoutError:
            return RemoteError("timeout", f"no answer within {self._timeout_s:g} s")
        except Exception as err:  # noqa: BLE001  the border: a model is foreign code
            return RemoteError.of(err)
