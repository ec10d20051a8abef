"""Requests of one model that some task is waiting for, so that no other task asks them too."""

from __future__ import annotations

import asyncio


class RequestsInFlight:
    """Shared by the tasks of a model that go side by side."""

    def __init__(self) -> None:
        self._owners: dict[str, asyncio.Future[None]] = {}

    def claim(self, fingerprint: str) -> asyncio.Future[None] | None:
        """Take on a request; None if it is ours now, else what is done when its owner is.

        Whoever took it on calls `release`, also if there is no answer.
        """
        owner = self._owners.get(fingerprint)
        if owner is None:
            self._owners[fingerprint] = asyncio.get_running_loop().create_future()
        return owner

    def release(self, fingerprint: str) -> None:
        """Let others go on: the answer is given to the journal, or there is none."""
        self._owners.pop(fingerprint).set_result(None)
