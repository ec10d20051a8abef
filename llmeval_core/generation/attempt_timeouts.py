"""One time limit for many attempts that go side by side, with one timer for all of them."""

from __future__ import annotations

import asyncio
from types import TracebackType


class AttemptTimeouts:
    """Ends attempts that take too long.

    It does what `asyncio.timeout` does, for a fraction of its cost: since all attempts have the
    same time, the one that began first is always the next to be over, and one timer is enough.

    Args:
        seconds: how long an attempt may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._running: dict[AttemptTimeout, None] = {}  # in the order in which they began
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> AttemptTimeout:
        """Begin an attempt of the current task; use it as a context manager."""
        return AttemptTimeout(self, self._loop.time() + self._seconds)

    def add(self, attempt: AttemptTimeout) -> None:
        """Watch an attempt."""
        self._running[attempt] = None
        if self._timer is None:
            self._timer = self._loop.call_at(attempt.ends_at, self._look)

    def remove(self, attempt: AttemptTimeout) -> None:
        """Watch an attempt no more."""
        self._running.pop(attempt, None)

    def close(self) -> None:
        """Free the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """Cancel the attempts whose time is over, and come back for the next one."""
        self._timer = None
        now = self._loop.time()
        while self._running:
            attempt = next(iter(self._running))
            if attempt.ends_at > now:
                self._timer = self._loop.call_at(attempt.ends_at, self._look)
                return
            del self._running[attempt]
            attempt.expire()


class AttemptTimeout:
    """The time of one attempt.

    Args:
        timeouts: where it is watched.
        ends_at: when it is over, in the time of the event loop.
    """

    __slots__ = ("_cancelling", "_expired", "_task", "_timeouts", "ends_at")

    def __init__(self, timeouts: AttemptTimeouts, ends_at: float) -> None:
        self._timeouts = timeouts
        self._expired = False
        self.ends_at = ends_at

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._timeouts.add(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the attempt.

        Raises:
            TimeoutError: its time was over, and nobody else cancelled the task.
        """
        if not self._expired:
            self._timeouts.remove(self)
        elif self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def expire(self) -> None:
        """Cancel the task, because its time is over."""
        self._expired = True
        self._task.cancel()
