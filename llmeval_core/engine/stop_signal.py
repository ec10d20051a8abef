"""When a run sends no more requests: the user stopped it, or the run itself."""

from __future__ import annotations

import asyncio


class StopSignal:
    """The user's stop and the run's own, in one.

    Args:
        stop: the user's.
    """

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._own = asyncio.Event()

    def set(self) -> None:
        """Stop the run from inside: a budget is used up, or nothing may fail and something did."""
        self._own.set()

    def is_set(self) -> bool:
        """Whether no more requests are to be sent."""
        return self._own.is_set() or self._stop.is_set()

    async def wait(self) -> None:
        """Return when no more requests are to be sent."""
        waiting = [asyncio.create_task(event.wait()) for event in (self._stop, self._own)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
