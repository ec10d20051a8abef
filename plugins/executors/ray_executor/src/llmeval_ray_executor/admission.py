"""Back-pressure: no more requests are taken from a run than workers soon begin with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from llmeval_core.hooks import Request


class AdmissionControl(AsyncIterator[Request]):
    """Passes requests on while fewer than `capacity` are in flight; for one reader at a time.

    A request that was taken from the run is sent even if the run is stopped or its budget is used
    up, and its time runs; so it must not wait long.

    Args:
        requests: all requests of the run.
        capacity: returns how many may be in flight now, at least 1.
    """

    def __init__(self, requests: AsyncIterator[Request], capacity: Callable[[], int]) -> None:
        self._requests = requests
        self._capacity = capacity
        self._n_in_flight = 0
        self._changed = asyncio.Event()

    async def __anext__(self) -> Request:
        """Wait for free capacity, then for a request."""
        while self._n_in_flight >= self._capacity():
            self._changed.clear()
            await self._changed.wait()
        self._n_in_flight += 1
        return await anext(self._requests)

    def release(self) -> None:
        """Free the place of a request that is finished."""
        self._n_in_flight -= 1
        self._changed.set()

    def capacity_changed(self) -> None:
        """Ask for the capacity again: there may be more now."""
        self._changed.set()
