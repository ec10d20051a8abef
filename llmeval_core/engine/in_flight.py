"""Requests of one model that some task is waiting for, so that no other task sends them too."""

from __future__ import annotations

import asyncio


class RequestsInFlight:
    """Shared by the tasks of a model that go side by side.

    A request is in one of these states, and goes through them as often as needed:

    * *free*: no task sends it.
    * free -> *claimed*: a task takes it on and becomes its owner. Who claims it from now on gets a
      future to wait for.
    * claimed -> free: the owner releases it, because its answer is given to the journal, because it
      failed, or because the owner was stopped before it was sent. All who waited may claim it.
      The first that does looks for the answer in the journal, and sends the request if there is
      none; the others wait for that one.
    """

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
