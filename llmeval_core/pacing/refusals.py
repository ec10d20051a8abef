"""What a server's refusals say of its quota, and how sending begins again afterwards.

States: *open* (nothing speaks against sending), *refusing* (`since` is set: refused after the last
answer), *wait* (nothing is sent) and *slow start* (a wait is just over).

* open -> refusing: a request is refused because of a quota (429).
* refusing -> wait: the server told how long, or refused `IN_A_ROW` one after another. Untold waits
  begin with a second and double up to a minute, which is how long most quotas last.
* wait -> slow start: one request may be under way, and twice as many each `DOUBLES_AFTER_S`, until
  the limit is reached. That goes by time and not by answers: a refusal comes at once, an answer may
  take a minute. A window of three requests is so found with a refusal or two, and not with as many
  as there are workers.
* slow start -> wait: refused again.
* an answer -> open, for what is counted; a slow start goes on.

Single refusals among answers are noise, and hold up nobody but the request itself.
"""

from __future__ import annotations

import math

from llmeval_core.support import Backoff

IN_A_ROW = 5
"""Refusals without an answer between that mean that the quota is used up."""
UNTOLD = Backoff(first_s=1.0, longest_s=60.0)
"""The waits that nobody told. Shorter ones that were told need no slow start."""
DOUBLES_AFTER_S = 0.5
"""In a slow start, how soon twice as many requests may be under way, seconds."""


class Refusals:
    """Counts refusals because of a quota.

    Attributes:
        since: when the first of a row of refusals came, seconds; None after an answer.
        reason: what the last one said.
        slow_from: when the last wait ends, seconds; None if nothing is held back any more.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self.slow_from: float | None = None
        self.reason = ""
        self._n = 0
        self._n_untold = 0

    def answered(self) -> None:
        """Note an answer."""
        if self.since is not None:
            self.since = None
            self._n = 0
            self._n_untold = 0

    def refused(
        self, now: float, told_s: float | None, reason: str, *, is_held: bool
    ) -> float | None:
        """Note a refusal; return for how long nothing is to be sent, seconds; None to go on.

        Args:
            now: the time, seconds.
            told_s: how long the server asks to wait; None if it does not say.
            reason: what it said.
            is_held: whether nothing is sent just now anyway: requests that were under way are
                refused together.
        """
        if self.since is None:
            self.since = now
        self._n += 1
        self.reason = reason
        wait_s = told_s
        if told_s is None and self._n >= IN_A_ROW and not is_held:
            self._n_untold += 1
            wait_s = UNTOLD.wait_s(self._n_untold)
        if wait_s is not None and wait_s >= UNTOLD.first_s:
            self.slow_from = max(self.slow_from or 0.0, now + wait_s)
        return wait_s

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
        return now - self.since if self.since is not None and self._n >= IN_A_ROW else 0.0
