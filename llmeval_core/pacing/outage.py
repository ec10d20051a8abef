"""A circuit breaker: a server that is down is probed, not hammered.

"Circuit Breaker" as in Nygard, "Release It!" (2007): closed while answers come, open after a row
of failures, and half open while one request probes.
"""

from __future__ import annotations

OPENS_AFTER = 10
"""Failures in a row, of a server that has answered before."""
FIRST_PAUSE_S = 1.0
"""Before the first probe, seconds; doubled after each that failed."""
LONGEST_PAUSE_S = 30.0
"""The longest pause between two probes, seconds."""


class Outage:
    """Whether a server is down, and when to try it next.

    Attributes:
        since: when it went down, seconds; None while it is up.
        reason: what the last failure said.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self.reason = ""
        self._was_up = False
        self._n_failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._probe_at = 0.0
        self._is_probing = False

    def wait_s(self, now: float) -> float | None:
        """Say how long to wait before a request may be sent, seconds; None: for news."""
        if self.since is None:
            return 0.0
        return None if self._is_probing else max(0.0, self._probe_at - now)

    def sent(self) -> None:
        """Note that a request is on its way; while the server is down it is the probe."""
        self._is_probing = self.since is not None

    def answered(self) -> bool:
        """Note an answer, also one that refuses; True if the server was down until now."""
        was_down = self.since is not None
        self.since = None
        self._was_up = True
        self._n_failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._is_probing = False
        return was_down

    def failed(self, now: float, reason: str) -> bool:
        """Note that no answer came; True if the server counts as down from now on."""
        self._n_failures += 1
        self.reason = reason
        if self.since is None:
            if not self._was_up or self._n_failures < OPENS_AFTER:
                return False
            self.since = now
            self._probe_at = now + self._pause_s
            return True
        if self._is_probing:
            self._is_probing = False
            self._pause_s = min(LONGEST_PAUSE_S, self._pause_s * 2)
            self._probe_at = now + self._pause_s
        return False

    def cancelled(self, now: float) -> None:
        """Note that a request was given up by us, which says nothing of the server."""
        if self._is_probing:
            self._is_probing = False
            self._probe_at = now
