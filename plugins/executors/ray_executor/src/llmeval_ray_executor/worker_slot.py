"""A slot for one worker: it spawns a worker, sends it requests, and replaces it when it is lost.

States and transitions of a slot:

* *empty*: there is no worker. A pause, if the last ones answered nothing; then a worker is spawned
  -> *opening*.
* *opening*: the worker opens its copy of the model. Open -> *ready*. It refuses, or dies -> *lost*.
* *ready*: requests and answers are exchanged. The worker dies, or is silent for
  `SILENCE_S` longer than a request may take while it has some -> *lost*. Cancelled -> *closed*.
* *lost*: the worker is killed, what it had goes back to the queue. It was one too many in a row
  without an answer -> *given up*. It could not open the model, and no other slot is ready
  -> *given up*. Else -> *empty*.
* *given up*: `work` returns; the slot stays empty.
* *closed*: `work` was cancelled; the worker is killed.

While it is ready, a slot takes no requests in two cases: its worker has an isolated request
(`RequestQueue`), or the worker's copy of the model cools down (`Cooldown`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NoReturn

import ray
from ray.exceptions import RayError

from llmeval_core.hooks import LlmevalError
from llmeval_core.support import Backoff
from llmeval_ray_executor.cooldown import Cooldown
from llmeval_ray_executor.ray_worker import CLOSE_TIMEOUT_S
from llmeval_ray_executor.request_queue import QueuedRequest, RequestQueue
from llmeval_ray_executor.throughput import Throughput
from llmeval_ray_executor.worker_limits import WorkerLimits
from llmeval_ray_executor.worker_messages import (
    NumberedRequest,
    RemoteError,
    decode_answers,
    encode,
)

_log = logging.getLogger("llmeval")
FOLLOW_UP_ROUNDS = 8
"""Rounds of the event loop after answers in which the requests arrive that follow them."""
PREFETCH_S = 0.2
"""Requests that wait in a worker are begun within this time, seconds: long enough for a message to
it and back, and short enough that little is sent again if the worker is lost."""
SILENCE_S = 10.0
"""A worker that says nothing for so much longer than a request may take counts as lost, seconds."""
PAUSES = Backoff(first_s=1.0, longest_s=10.0)
"""Pauses before a worker is replaced, from the second loss in a row without an answer on."""


class WorkerSlot:
    """Keeps one worker at work; see the module for its states.

    Args:
        number: the slot's number, from 1, for messages.
        queue: where requests come from.
        spawn: makes a new actor; Any: Ray's handles have no static type.
        factory: the pickled `ModelFactory` that the worker opens.
        limits: how much the worker is given.
        changed: is called when the worker becomes ready and when it is ready no longer.

    Attributes:
        ready: whether the slot is in the state *ready*.
        open_error: why a worker could not open the model; None if none has failed to.
    """

    def __init__(
        self,
        number: int,
        queue: RequestQueue,
        *,
        spawn: Callable[[], Any],
        factory: bytes,
        limits: WorkerLimits,
        changed: Callable[[], None],
    ) -> None:
        self._number = number
        self._queue = queue
        self._spawn = spawn
        self._factory = factory
        self._limits = limits
        self._silence_limit_s = limits.request_timeout_s + SILENCE_S
        self._throughput = Throughput()
        self._cooldown = Cooldown()
        self._heard_at = 0.0
        self._changed = changed
        self._actor: Any = None  # Any: see `spawn`
        self._exchange: asyncio.Task[bytes] | None = None
        self._wake = asyncio.Event()
        self._in_flight: dict[int, QueuedRequest] = {}
        self._cancelled: list[int] = []
        self._n_losses = 0
        self.ready = False
        self.open_error: LlmevalError | None = None

    @property
    def capacity(self) -> int:
        """How many requests may be in flight in its worker now, once that is ready."""
        if self._limits.cools_down and self._cooldown.is_probing:
            return 1
        per_s = self._throughput.per_s(asyncio.get_running_loop().time())
        return self._limits.concurrency + min(self._limits.max_prefetch, round(PREFETCH_S * per_s))

    async def work(self) -> None:
        """Work until cancelled, or until the slot is given up."""
        while self._n_losses <= self._limits.max_losses:
            await asyncio.sleep(PAUSES.wait_s(self._n_losses - 1))
            reason: str | None = None
            try:
                reason = await self._run_worker()
            except RayError as err:
                reason = _first_line(err)
            except TimeoutError:
                reason = f"it has told nothing for {self._silence_limit_s:g} s"
            finally:
                self._drop_worker(reason)
            self._n_losses += 1
            if self.open_error is not None and not self._queue.n_workers:
                return

    async def close(self) -> None:
        """Let the worker close its model; it ends in any case when `work` is cancelled."""
        if self.ready:
            with contextlib.suppress(RayError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S + 1):
                    await self._actor.close.remote()

    async def _run_worker(self) -> str:
        """Spawn a worker and work with it; return why it is of no use."""
        self._actor = self._spawn()
        opened: str | RemoteError = await self._actor.open.remote(self._factory)
        if isinstance(opened, RemoteError):
            self.open_error = opened.error()
            return opened.what
        _log.info("Ray worker %d is ready: %s", self._number, opened)
        self.ready = True
        self._changed()
        try:
            await self._serve()
        finally:
            if self._exchange is not None:
                self._exchange.cancel()
                await asyncio.wait({self._exchange})
                self._exchange = None

    async def _serve(self) -> NoReturn:
        """Exchange requests for answers until the worker is lost."""
        while True:
            self._wake.clear()
            if self._exchange is not None and self._exchange.done():
                self._receive(self._exchange.result())
                self._exchange = None
                for _ in range(FOLLOW_UP_ROUNDS):
                    await asyncio.sleep(0)
            await self._send_cancelled()
            requests = self._take()
            if self._exchange is None:
                self._exchange = asyncio.create_task(self._call_exchange(encode(requests)))
                self._exchange.add_done_callback(lambda _: self._wake.set())
            elif requests:
                await self._unless_silent(self._actor.give.remote(encode(requests)))
            else:
                await self._unless_silent(self._wake.wait())

    async def _unless_silent(self, awaited: Awaitable[object]) -> None:
        """Wait; while requests are in flight, no longer than the worker may be silent.

        Raises:
            TimeoutError: it has been silent for too long.
        """
        until = self._heard_at + self._silence_limit_s if self._in_flight else None
        async with asyncio.timeout_at(until):
            await awaited

    async def _call_exchange(self, requests: bytes) -> bytes:
        answers: bytes = await self._actor.exchange.remote(requests)
        return answers

    def _take(self) -> list[NumberedRequest]:
        """Take what the worker has free capacity for; if there is nothing, wake for more."""
        self._queue.cancel_wake(self._wake)
        n_in_flight = len(self._in_flight)
        is_blocked = self._has_isolated() or self._is_cooling_down()
        free_capacity = 0 if is_blocked else self.capacity - n_in_flight
        if free_capacity <= 0:
            return []
        taken = self._queue.take(self, free_capacity=free_capacity, n_in_flight=n_in_flight)
        if taken and not n_in_flight:
            self._heard_at = asyncio.get_running_loop().time()
        if not taken:
            self._queue.wake_on_request(self._wake, n_in_flight)
        for queued in taken:
            self._in_flight[queued.number] = queued
            queued.cancel = partial(self._cancel, queued.number)
        return [(queued.number, queued.request) for queued in taken]

    async def _send_cancelled(self) -> None:
        if self._cancelled:
            cancelled, self._cancelled = self._cancelled, []
            await self._unless_silent(self._actor.cancel.remote(cancelled))

    def _cancel(self, number: int) -> None:
        """Let the worker stop with a request; its capacity is free once the worker says so."""
        self._cancelled.append(number)
        self._wake.set()

    def _has_isolated(self) -> bool:
        return len(self._in_flight) == 1 and next(iter(self._in_flight.values())).is_suspect

    def _is_cooling_down(self) -> bool:
        """Whether the copy of the model gets nothing now; if so, look again later."""
        loop = asyncio.get_running_loop()
        left_s = self._cooldown.remaining_s(loop.time()) if self._limits.cools_down else 0.0
        if left_s > 0:
            loop.call_later(left_s, self._wake.set)
        return left_s > 0

    def _receive(self, message: bytes) -> None:
        answers = decode_answers(message)
        self._heard_at = asyncio.get_running_loop().time()
        n_good = sum(not isinstance(outcome, RemoteError) for _, outcome in answers)
        self._throughput.record(n_good, self._heard_at)
        self._cooldown.record((outcome for _, outcome in answers), self._heard_at)
        for number, outcome in answers:
            queued = self._in_flight.pop(number)
            self._queue.finished()
            if queued.answer.done():
                continue  # its caller has given up
            if isinstance(outcome, RemoteError):
                queued.answer.set_exception(outcome.error())
            else:
                queued.answer.set_result(outcome)
        self._n_losses = 0

    def _drop_worker(self, reason: str | None) -> None:
        """Kill the worker, if it is still there, and put back what it had.

        Args:
            reason: how it was lost; None if it was let go.
        """
        actor, self._actor = self._actor, None
        lost, self._in_flight = self._in_flight, {}
        self._cancelled = []
        self._throughput, self._cooldown = Throughput(), Cooldown()
        was_ready, self.ready = self.ready, False
        if actor is not None:
            with contextlib.suppress(RayError):
                ray.kill(actor, no_restart=True)
        if reason is not None:
            _log.warning(
                "Ray worker %d was lost: %s; %d requests are asked again",
                self._number,
                reason,
                len(lost),
            )
        if was_ready:
            self._changed()
        self._queue.requeue(lost.values(), reason)


def _first_line(err: RayError) -> str:
    """Say in a line how a worker was lost; Ray's own messages have many."""
    lines = [line.strip() for line in str(err).splitlines() if line.strip()]
    return f"{type(err).__name__}: {lines[0]}" if lines else type(err).__name__
