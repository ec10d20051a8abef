"""How fast a worker answers."""

from __future__ import annotations

SPAN_S = 0.25
"""Answers of so many seconds are counted together, at least."""


class Speed:
    """Counts answers.

    Attributes:
        per_s: answers a second, lately; at first 0.
    """

    def __init__(self) -> None:
        self.per_s = 0.0
        self._n = 0
        self._since: float | None = None

    def note(self, n: int, now: float) -> None:
        """Note so many more answers at this time, seconds."""
        if self._since is None:
            self._since = now
            return
        self._n += n
        if now - self._since >= SPAN_S:
            self.per_s = self._n / (now - self._since)
            self._n, self._since = 0, now
