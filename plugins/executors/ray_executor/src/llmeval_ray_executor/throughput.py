"""How many requests a second a worker answers."""

from __future__ import annotations

SPAN_S = 0.25
"""Shortest time over which answers are counted together, seconds."""


class Throughput:
    """Measures the rate of a worker's answers."""

    def __init__(self) -> None:
        self._per_s = 0.0
        self._n = 0
        self._since: float | None = None
        self._last = 0.0

    def record(self, n_answers: int, now: float) -> None:
        """Count more answers at this time, seconds."""
        self._last = now
        if self._since is None:
            self._since = now
            return
        self._n += n_answers
        if now - self._since >= SPAN_S:
            self._per_s = self._n / (now - self._since)
            self._n, self._since = 0, now

    def per_s(self, now: float) -> float:
        """Return the answers a second of the last span; the rate falls while there are none."""
        silent_s = now - self._last
        return min(self._per_s, 1 / silent_s) if silent_s > 0 else self._per_s
