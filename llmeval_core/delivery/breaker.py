"""A circuit breaker: who refuses is left alone for a while, longer each time."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_PAUSE_S = 30.0
"""How long to leave a tracker alone after its first failure, seconds; doubled after each."""
LONGEST_PAUSE_S = 300.0
"""The longest of these pauses; only what a server itself asks for may be longer."""
SETTLED_S = 1.0
"""A failure younger than this would only happen again, seconds."""


class Breaker:
    """Says when to ask again.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._n_failures = 0
        self._hopeless_until = 0.0
        self._open_until = 0.0

    def failed(self, *, retry_after_s: float | None) -> None:
        """Note a failure, and how long the other side asked us to wait."""
        now = self._clock()
        pause_s = min(FIRST_PAUSE_S * 2**self._n_failures, LONGEST_PAUSE_S)
        self._n_failures = min(self._n_failures + 1, 10)
        self._hopeless_until = now + max(retry_after_s or 0.0, SETTLED_S)
        self._open_until = max(now + pause_s, self._hopeless_until)

    def succeeded(self) -> None:
        """Note that all is well again."""
        self._n_failures = 0
        self._open_until = self._hopeless_until = 0.0

    def pause_s(self) -> float | None:
        """Return how long to leave it alone still, seconds; None if nothing has failed."""
        return max(0.0, self._open_until - self._clock()) if self._n_failures else None

    def may_try_last(self) -> bool:
        """Tell whether a last attempt before the end makes sense, whatever the pause."""
        return self._clock() >= self._hopeless_until
