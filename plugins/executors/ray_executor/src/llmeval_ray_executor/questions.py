"""The requests that wait for a worker, and what becomes of those whose worker is lost."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from llmeval_core.hooks import Generation, LlmevalError, ModelError, Request

SUSPECT_AFTER = 2
"""Workers lost with a request before it is asked alone: it may be what kills them."""
MOST_LOSSES = 4
"""Workers lost with a request before it fails; the last ones had nothing else to do."""


@dataclass(slots=True, eq=False)
class Asked:
    """A request and the promise of its answer; `n_lost` workers were lost with it."""

    number: int
    request: Request
    answer: asyncio.Future[Generation]
    n_lost: int = 0

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
        self._idle: deque[asyncio.Event] = deque()

    async def ask(self, request: Request) -> Generation:
        """Wait for a worker and for its answer, however often workers are lost meanwhile.

        Raises:
            ModelError: the model refused, or one worker after another died of this request.
            LlmevalError: there will be no workers any more.
        """
        if self.failure is not None:
            raise self.failure
        answer: asyncio.Future[Generation] = asyncio.get_running_loop().create_future()
        self._waiting.append(Asked(next(self._numbers), request, answer))
        self._wake()
        return await answer

    def take(self, *, room: int, n_under_way: int) -> list[Asked]:
        """Take what a worker with that much room shall work on next; may be empty.

        Each takes no more than its share, so that the last requests do not wait in one worker
        while others have nothing to do.
        """
        if not self._waiting and not n_under_way:
            return self._pop(self._suspects, 1)
        share = math.ceil(len(self._waiting) / max(1, self.n_workers))
        return self._pop(self._waiting, min(room, share, self._chunk_size))

    def wake_when_more(self, event: asyncio.Event) -> None:
        """Set this event once, when a request comes."""
        if event not in self._idle:
            self._idle.append(event)

    def give_back(self, lost: Iterable[Asked], why: str | None) -> None:
        """Ask again what was with a worker that is gone.

        Args:
            lost: what it had not answered.
            why: how it died; None if it was let go, which says nothing about the requests.
        """
        for asked in lost:
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

    def _wake(self) -> None:
        if self._idle:
            self._idle.popleft().set()

    @staticmethod
    def _pop(waiting: deque[Asked], most: int) -> list[Asked]:
        taken: list[Asked] = []
        while waiting and len(taken) < most:
            asked = waiting.popleft()
            if not asked.answer.done():  # else nobody waits for it any more
                taken.append(asked)
        return taken
