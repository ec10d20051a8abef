"""So much a minute: requests or tokens, never more in any 60 seconds."""

from __future__ import annotations

BURST = 0.1
"""The part of a minute's quota that may be used at once."""
_MINUTE_S = 60.0
_CRUMB = 1e-6  # what rounding leaves of an amount


class TokenBucket:
    """A token bucket that keeps to a limit in every window of 60 seconds, wherever it begins.

    The bucket holds a tenth of the quota and is filled with nine tenths of it a minute: together
    no window sees more than the whole.

    Args:
        per_minute: the quota.
        now: the time, seconds.
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self._size = max(1.0, per_minute * BURST)
        self._per_s = max(per_minute - self._size, per_minute * BURST) / _MINUTE_S
        self._level = self._size
        self._filled_at = now

    def wait_s(self, amount: float, now: float) -> float:
        """Say how long to wait until an amount may be used, seconds; 0 for now.

        More than the bucket holds may be used when it is full; what follows then waits longer.
        """
        self._fill(now)
        lacking = min(amount, self._size) - self._level
        return lacking / self._per_s if lacking > _CRUMB else 0.0

    def use(self, amount: float, now: float) -> None:
        """Use an amount; a negative one gives back what was not needed after all."""
        self._fill(now)
        self._level = min(self._size, self._level - amount)

    def _fill(self, now: float) -> None:
        # A clock that is set back fills nothing, and takes nothing away.
        passed_s = max(0.0, now - self._filled_at)
        self._level = min(self._size, self._level + passed_s * self._per_s)
        self._filled_at = max(now, self._filled_at)
