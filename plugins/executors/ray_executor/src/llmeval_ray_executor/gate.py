"""How many requests are taken from a run: no more than the workers soon begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from llmeval_core.hooks import Request


class Gate(AsyncIterator[Request]):
    """Requests, each as soon as the workers have room for it; for one reader at a time.

    What was taken is asked, also when the run is stopped or its budget is used up, and its own
    time runs; so it must not wait long.

    Args:
        requests: all of them.
        room: tells how many may be with the workers now, at least 1.
    """

    def __init__(self, requests: AsyncIterator[Request], room: Callable[[], int]) -> None:
        self._requests = requests
        self._room = room
        self._n_inside = 0
        self._changed = asyncio.Event()

    async def __anext__(self) -> Request:
        """Wait for room and for a request."""
        while self._n_inside >= self._room():
            self._changed.clear()
            await self._changed.wait()
        self._n_inside += 1
        return await anext(self._requests)

    def left(self) -> None:
        """Note that a request is finished."""
        self._n_inside -= 1
        self._changed.set()

    def look_again(self) -> None:
        """Note that there may be more room."""
        self._changed.set()
