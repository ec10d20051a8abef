"""The requests that wait for a worker, and what happens to those whose worker is lost."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llmeval_core.hooks import Generation, LlmevalError, ModelError, Request

ISOLATE_AFTER = 2
"""Workers lost with a request before it is sent alone: it may be what kills them."""
MAX_LOSSES = 4
"""Workers lost with a request before it fails; the last ones had nothing else to do."""


@dataclass(slots=True, eq=False)
class QueuedRequest:
    """A request and the future of its answer.

    Args:
        number: tells it from all others.
        request: the request.
        answer: what the caller awaits; done early if the caller has given up.
        n_losses: workers that were lost with it.
        cancel: tells the worker that has it that the caller has given up; None while it waits.
    """

    number: int
    request: Request
    answer: asyncio.Future[Generation]
    n_losses: int = 0
    cancel: Callable[[], None] | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether it may be a poison request, one that kills its workers."""
        return self.n_losses >= ISOLATE_AFTER


class RequestQueue:
    """Hands waiting requests to whichever worker has free capacity, in small chunks.

    States and transitions of a request:

    * *waiting*: `submit` puts it at the end of the queue. A worker takes it -> *in flight*.
    * *in flight*: it is with a worker. Answered or refused -> *done*. The worker is lost for a
      reason -> *waiting*, in front of the others; after `ISOLATE_AFTER` such losses -> *isolated*.
      The worker was let go -> *waiting*; that says nothing about the request.
    * *isolated*: it may be a poison request. One worker at a time gets nothing more until it is
      idle, then this request alone -> *in flight*. After `MAX_LOSSES` losses -> *done*, as failed.
    * *done*: the future has an answer or an error, or its caller was cancelled. The queue fails
      (`fail`) -> every request that waits is done.

    Args:
        chunk_size: most requests that a worker takes at once.

    Attributes:
        n_workers: workers that are ready; they share what waits.
        failure: why nothing can be answered any more; None while something can.
    """

    def __init__(self, chunk_size: int) -> None:
        self.n_workers = 0
        self.failure: LlmevalError | None = None
        self._chunk_size = chunk_size
        self._numbers = itertools.count()
        self._waiting: deque[QueuedRequest] = deque()
        self._isolated: deque[QueuedRequest] = deque()
        self._n_in_flight = 0
        self._idle: dict[asyncio.Event, int] = {}
        self._draining_worker: object = None

    async def submit(self, request: Request) -> Generation:
        """Wait for a worker and for its answer, however often workers are lost meanwhile.

        Raises:
            ModelError: the model refused, or one worker after another died of this request.
            LlmevalError: there will be no workers any more.
        """
        if self.failure is not None:
            raise self.failure
        answer: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        queued = QueuedRequest(next(self._numbers), request, answer)
        self._waiting.append(queued)
        self._wake()
        try:
            return await answer
        except asyncio.CancelledError:
            if queued.cancel is not None:
                queued.cancel()
            raise

    def take(self, worker: object, *, free_capacity: int, n_in_flight: int) -> list[QueuedRequest]:
        """Take what a worker shall work on next; may be empty.

        A worker takes no more than its share of all requests, so that none wait in one worker
        while others are idle. While a request is isolated, one worker at a time is drained: it
        gets nothing until it has nothing in flight, and then that request.
        """
        if self._has_isolated() and self._draining_worker in (None, worker):
            self._draining_worker = worker if n_in_flight else None
            taken = [] if n_in_flight else self._pop(self._isolated, 1)
        else:
            share = math.ceil((len(self._waiting) + self._n_in_flight) / max(1, self.n_workers))
            most = min(free_capacity, share - n_in_flight, self._chunk_size)
            taken = self._pop(self._waiting, most)
        self._n_in_flight += len(taken)
        return taken

    def finished(self) -> None:
        """Count a request that a worker has answered or refused."""
        self._n_in_flight -= 1

    def wake_on_request(self, event: asyncio.Event, n_in_flight: int) -> None:
        """Set this event once, at the next request; the worker with least in flight is first."""
        self._idle[event] = n_in_flight

    def cancel_wake(self, event: asyncio.Event) -> None:
        """Do not set this event any more: its worker looks for requests itself."""
        self._idle.pop(event, None)

    def requeue(self, lost: Iterable[QueuedRequest], reason: str | None) -> None:
        """Put back what was in flight in a worker that is gone.

        Args:
            lost: what it had not answered.
            reason: how the worker died; None if it was let go.
        """
        self._draining_worker = None
        for queued in lost:
            self._n_in_flight -= 1
            queued.cancel = None
            queued.n_losses += reason is not None
            if queued.n_losses >= MAX_LOSSES and not queued.answer.done():
                what = f"{queued.n_losses} workers died of this request: {reason}"
                queued.answer.set_exception(ModelError("bad_request", what))
            elif queued.is_suspect:
                self._isolated.append(queued)
            else:
                self._waiting.appendleft(queued)
        while self._idle:
            self._wake()

    def fail(self, failure: LlmevalError) -> None:
        """Answer nothing any more; the first failure stays."""
        self.failure = self.failure or failure
        for queue in (self._waiting, self._isolated):
            while queue:
                answer = queue.popleft().answer
                if not answer.done():
                    answer.set_exception(failure)

    def _has_isolated(self) -> bool:
        while self._isolated and self._isolated[0].answer.done():
            self._isolated.popleft()
        return bool(self._isolated)

    def _wake(self) -> None:
        if self._idle:
            event = min(self._idle, key=self._idle.__getitem__)
            del self._idle[event]
            event.set()

    @staticmethod
    def _pop(queue: deque[QueuedRequest], most: int) -> list[QueuedRequest]:
        taken: list[QueuedRequest] = []
        while queue and len(taken) < most:
            queued = queue.popleft()
            if not queued.answer.done():  # else its caller has given up
                taken.append(queued)
        return taken
