"""A circuit breaker: a server that is down is probed now and then, not hammered."""

from __future__ import annotations

from typing import Literal

from llmeval_core.support.backoff import Backoff

CircuitState = Literal["closed", "open", "half-open"]


class CircuitBreaker:
    """Says whether the other side is down, and when to try it next.

    "Circuit Breaker" as in Nygard, "Release It!" (2007). Times are seconds of any clock that only
    grows; the caller reads it.

    States and transitions:

    * *closed*: everything passes. `opens_after` failures in a row -> open.
    * *open*: nothing passes until the pause is over; failures of what was sent before change
      nothing. `sent` -> half-open.
    * *half-open*: one request is under way, the probe; all others wait. It fails -> open, with the
      next longer pause; it is cancelled -> open, and the next probe may follow at once.
    * A success in any state -> closed, and the pauses begin anew.

    Attributes:
        state: one of the three.
        since: when it opened, seconds; None while it is closed.
        reason: what the last failure said.

    Args:
        pauses: the pause before the first probe, and after each probe that failed.
        opens_after: failures in a row that open it.
        needs_success: whether it stays closed until there was a first success. Who never
            answered is not down: most likely the address is wrong.
    """

    def __init__(
        self, pauses: Backoff, *, opens_after: int = 1, needs_success: bool = False
    ) -> None:
        self._pauses = pauses
        self._opens_after = opens_after
        self._may_open = not needs_success
        self.state: CircuitState = "closed"
        self.since: float | None = None
        self.reason = ""
        self._n_failures = 0
        self._n_pauses = 0
        self._probe_at = 0.0
        self._failed_at = 0.0
        self._told_until = 0.0

    def wait_s(self, now: float) -> float | None:
        """Say how long to wait before a request may be sent, seconds; None: for the probe's end."""
        if self.since is None:
            return 0.0
        return None if self.state == "half-open" else max(0.0, self._probe_at - now)

    def may_probe_early(self, now: float, *, after_s: float) -> bool:
        """Say whether a last attempt makes sense although the pause is not over.

        It does not if the last failure is younger than `after_s`, seconds, or if the other side
        asked to be left alone for longer.
        """
        return self.since is None or now >= max(self._failed_at + after_s, self._told_until)

    def sent(self) -> None:
        """Note that a request is on its way; it is the probe if the circuit is open."""
        if self.since is not None:
            self.state = "half-open"

    def succeeded(self) -> bool:
        """Note an answer, also one that refuses; True if the other side was down until now."""
        was_down = self.since is not None
        self.state = "closed"
        self.since = None
        self._may_open = True
        self._n_failures = self._n_pauses = 0
        return was_down

    def failed(self, now: float, reason: str = "", *, told_s: float | None = None) -> bool:
        """Note that no answer came; True if the other side counts as down from now on.

        Args:
            now: the time, seconds.
            reason: why.
            told_s: how long the other side asks to be left alone, seconds; no pause is shorter.
        """
        self.reason = reason
        self._n_failures += 1
        if self.state == "half-open":
            self._open(now, told_s)
        elif self.since is None and self._may_open and self._n_failures >= self._opens_after:
            self.since = now
            self._open(now, told_s)
            return True
        return False

    def cancelled(self, now: float) -> None:
        """Note that a request was given up by us, which says nothing of the other side."""
        if self.state == "half-open":
            self.state = "open"
            self._probe_at = now

    def _open(self, now: float, told_s: float | None) -> None:
        self.state = "open"
        self._n_pauses += 1
        self._failed_at = now
        self._told_until = now + (told_s or 0.0)
        self._probe_at = now + self._pauses.wait_s(self._n_pauses, told_s=told_s)
