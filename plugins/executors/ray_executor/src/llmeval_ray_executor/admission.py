"""Who is let in: no more requests than the workers soon begin with."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from llmeval_core.hooks import Generation, ModelError


class Admission:
    """A pace that also waits until the workers have room.

    A request's own time runs, and it ends before a stopped run does, once it is let through; so it
    must not wait long after that.

    Args:
        pace: what else decides, a `ModelJob.pace`; Any: hooks have no name for its type.
        room: tells how many requests may be with the workers now.
    """

    def __init__(self, pace: Any, room: Callable[[], int]) -> None:
        self._pace = pace
        self._room = room
        self._n_inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def counts_tokens(self) -> bool:
        """See `Pace`."""
        counts: bool = self._pace.counts_tokens
        return counts

    async def enter(self, n_tokens: int = 0) -> None:
        """Wait for room, and for whatever else decides; see `Pace`."""
        if self._n_inside < self._room():
            self._n_inside += 1
        else:
            await self._turn()
        try:
            await self._pace.enter(n_tokens)
        except BaseException:
            self._left()
            raise

    def answered(self, generation: Generation, *, latency_s: float, n_expected: int = 0) -> None:
        """Note an answer; see `Pace`."""
        self._pace.answered(generation, latency_s=latency_s, n_expected=n_expected)
        self._left()

    def failed(self, error: ModelError) -> None:
        """Note that an attempt failed; see `Pace`."""
        self._pace.failed(error)
        self._left()

    def abandoned(self) -> None:
        """Note that nobody waits for the answer any more; see `Pace`."""
        self._pace.abandoned()
        self._left()

    def may_retry(self) -> bool:
        """Take one of the run's retries; see `Pace`."""
        may: bool = self._pace.may_retry()
        return may

    async def _turn(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._left()  # our turn had come
            raise

    def _left(self) -> None:
        self._n_inside -= 1
        while self._waiting and self._n_inside < self._room():
            turn = self._waiting.popleft()
            if not turn.done():
                self._n_inside += 1
                turn.set_result(None)
