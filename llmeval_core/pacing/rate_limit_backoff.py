"""What a server's rate limit says of its quota, and how sending begins again afterwards.

States: *free* (nothing speaks against sending), *rate limited* (`since` is set: refused after the
last answer), *pausing* (nothing is sent) and *slow start* (a pause is just over).

* free -> rate limited: a request is refused because of a quota (429).
* rate limited -> pausing: the server said for how long, or refused `MIN_IN_A_ROW` one after
  another. Pauses that it did not ask for follow `PAUSES`: from a second, doubled up to a minute,
  which is how long most quotas last.
* pausing -> slow start: one request may be under way, and twice as many each `DOUBLES_AFTER_S`,
  until the limit is reached. That goes by time and not by answers: a refusal comes at once, an
  answer may take a minute. A window of three requests is so found with a refusal or two, and not
  with as many as there are workers.
* slow start -> pausing: refused again. Slow start -> free: the limit is reached.
* An answer ends *rate limited*: the count of refusals and the pauses begin anew. A slow start that
  is under way goes on.

Single refusals among answers are noise, and hold up nobody but the request itself.
"""

from __future__ import annotations

import math

from llmeval_core.support import Backoff

MIN_IN_A_ROW = 5
"""Refusals without an answer between that mean that the quota is used up."""
PAUSES = Backoff(first_s=1.0, longest_s=60.0)
"""The pauses that the server did not ask for. Shorter ones that it asked for need no slow start."""
DOUBLES_AFTER_S = 0.5
"""In a slow start, how soon twice as many requests may be under way, seconds."""


class RateLimitBackoff:
    """Counts refusals because of a quota, and says how long to wait.

    Attributes:
        since: when the first of a row of refusals came, seconds; None after an answer.
        reason: what the last one said.
        slow_from: when the last pause ends and a slow start begins, seconds; None if there is none.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self.slow_from: float | None = None
        self.reason = ""
        self._n_refused = 0
        self._n_pauses = 0

    def answered(self) -> None:
        """Note an answer."""
        if self.since is not None:
            self.since = None
            self._n_refused = 0
            self._n_pauses = 0

    def refused(
        self, now: float, retry_after_s: float | None, reason: str, *, is_paused: bool
    ) -> float | None:
        """Note a refusal; return for how long nothing is to be sent, seconds; None to go on.

        Args:
            now: the time, seconds.
            retry_after_s: how long the server asks to wait; None if it does not say.
            reason: what it said.
            is_paused: whether nothing is sent just now anyway: requests that were under way are
                refused together.
        """
        if self.since is None:
            self.since = now
        self._n_refused += 1
        self.reason = reason
        pause_s = retry_after_s
        if retry_after_s is None and self._n_refused >= MIN_IN_A_ROW and not is_paused:
            self._n_pauses += 1
            pause_s = PAUSES.wait_s(self._n_pauses)
        if pause_s is not None and pause_s >= PAUSES.first_s:
            self.slow_from = max(self.slow_from or 0.0, now + pause_s)
        return pause_s

    def wait_s(self, n_under_way: int, limit: int, now: float) -> float:
        """Say how long to wait before one more may be sent, seconds; 0 for now.

        Args:
            n_under_way: requests that are with the server.
            limit: how many may be when all is well.
            now: the time, seconds.
        """
        if self.slow_from is None:
            return 0.0
        if now >= self.slow_from + DOUBLES_AFTER_S * math.log2(max(1, limit)):
            self.slow_from = None
            return 0.0
        has_room_at = self.slow_from + DOUBLES_AFTER_S * math.log2(n_under_way + 1)
        return max(0.0, has_room_at - now)

    def lasted_s(self, now: float) -> float:
        """Say for how long nothing but refusals came, seconds; 0 while they may be noise."""
        if self.since is None or self._n_refused < MIN_IN_A_ROW:
            return 0.0
        return now - self.since
