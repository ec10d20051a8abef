"""The requests that wait for a worker, and what becomes of those whose worker is lost."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from llmeval_core.hooks import Generation, LlmevalError, ModelError, Request

SUSPECT_AFTER = 2
"""Workers lost with a request before it is asked alone: it may be what kills them."""
MOST_LOSSES = 4
"""Workers lost with a request before it fails; the last ones had nothing else to do."""


@dataclass(slots=True, eq=False)
class Asked:
    """A request and the promise of its answer.

    Args:
        number: tells it from all others.
        request: what is asked.
        answer: what is waited for; done early if nobody waits any more.
        n_lost: workers that were lost with it.
        withdraw: tells the worker that has it that nobody waits any more.
    """

    number: int
    request: Request
    answer: asyncio.Future[Generation]
    n_lost: int = 0
    withdraw: Callable[[], None] | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether it may be what kills workers; it is asked alone then."""
        return self.n_lost >= SUSPECT_AFTER


class Questions:
    """Hands waiting requests to whichever worker has room, in small chunks.

    Args:
        chunk_size: most requests at once.

    Attributes:
        n_workers: workers that are ready; they share what waits.
        failure: why nothing can be answered any more; None while something can.
    """

    def __init__(self, chunk_size: int) -> None:
        self.n_workers = 0
        self.failure: LlmevalError | None = None
        self._chunk_size = chunk_size
        self._numbers = itertools.count()
        self._waiting: deque[Asked] = deque()
        self._suspects: deque[Asked] = deque()
        self._n_out = 0
        self._idle: dict[asyncio.Event, int] = {}
        self._running_dry: object = None

    async def ask(self, request: Request) -> Generation:
        """Wait for a worker and for its answer, however often workers are lost meanwhile.

        Raises:
            ModelError: the model refused, or one worker after another died of this request.
            LlmevalError: there will be no workers any more.
        """
        if self.failure is not None:
            raise self.failure
        answer: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        asked = Asked(next(self._numbers), request, answer)
        self._waiting.append(asked)
        self._wake()
        try:
            return await answer
        except asyncio.CancelledError:
            if asked.withdraw is not None:
                asked.withdraw()
            raise

    def take(self, worker: object, *, room: int, n_under_way: int) -> list[Asked]:
        """Take what a worker with that much room shall work on next; may be empty.

        Each takes no more than its share of all that is asked, so that requests do not wait in
        one worker while others have nothing to do. While a suspect waits, one worker at a time
        gets nothing until it has nothing under way, and then the suspect.
        """
        if self._has_suspects() and self._running_dry in (None, worker):
            self._running_dry = worker if n_under_way else None
            taken = [] if n_under_way else self._pop(self._suspects, 1)
        else:
            fair = math.ceil((len(self._waiting) + self._n_out) / max(1, self.n_workers))
            most = min(room, fair - n_under_way, self._chunk_size)
            taken = self._pop(self._waiting, most)
        self._n_out += len(taken)
        return taken

    def returned(self) -> None:
        """Note that a worker is done with a request."""
        self._n_out -= 1

    def wake_when_more(self, event: asyncio.Event, n_under_way: int) -> None:
        """Set this event once, when a request comes; whoever has least under way is first."""
        self._idle[event] = n_under_way

    def no_longer_idle(self, event: asyncio.Event) -> None:
        """Do not set this event any more: who has it looks for itself."""
        self._idle.pop(event, None)

    def give_back(self, lost: Iterable[Asked], why: str | None) -> None:
        """Ask again what was with a worker that is gone.

        Args:
            lost: what it had not answered.
            why: how it died; None if it was let go, which says nothing about the requests.
        """
        self._running_dry = None
        for asked in lost:
            self._n_out -= 1
            asked.withdraw = None
            asked.n_lost += why is not None
            if asked.n_lost >= MOST_LOSSES and not asked.answer.done():
                what = f"{asked.n_lost} workers died of this request: {why}"
                asked.answer.set_exception(ModelError("bad_request", what))
            elif asked.is_suspect:
                self._suspects.append(asked)
            else:
                self._waiting.appendleft(asked)
        while self._idle:
            self._wake()

    def fail(self, failure: LlmevalError) -> None:
        """Answer nothing any more."""
        self.failure = self.failure or failure
        for waiting in (self._waiting, self._suspects):
            while waiting:
                answer = waiting.popleft().answer
                if not answer.done():
                    answer.set_exception(failure)

    def _has_suspects(self) -> bool:
        while self._suspects and self._suspects[0].answer.done():
            self._suspects.popleft()
        return bool(self._suspects)

    def _wake(self) -> None:
        if self._idle:
            event = min(self._idle, key=self._idle.__getitem__)
            del self._idle[event]
            event.set()

    @staticmethod
    def _pop(waiting: deque[Asked], most: int) -> list[Asked]:
        taken: list[Asked] = []
        while waiting and len(taken) < most:
            asked = waiting.popleft()
            if not asked.answer.done():  # else nobody waits for it any more
                taken.append(asked)
        return taken
