"""What a server's refusals say of its quota, when it does not say how long to wait.

States: *open* (nothing speaks against sending), *refusing* (`since` is set: refused after the last
answer) and *slow start* (`room` is set: a wait has just ended).

* open -> refusing: a request is refused because of a quota (429).
* refusing -> wait: the server told how long, or refused `IN_A_ROW` one after another. Untold waits
  begin with a second and double up to a minute, which is how long most quotas last.
* wait -> slow start: one request goes, and after each answer one more may go along, until the
  limit is reached. A window of three requests is so found with a handful of refusals, and not with
  as many as there are workers.
* an answer -> open.

Single refusals among answers are noise, and hold up nobody but the request itself.
"""

from __future__ import annotations

IN_A_ROW = 5
"""Refusals without an answer between that mean that the quota is used up."""
FIRST_PAUSE_S = 1.0
"""The first wait that nobody told, seconds."""
LONGEST_PAUSE_S = 60.0
"""The longest, seconds."""


class Refusals:
    """Counts refusals because of a quota.

    Attributes:
        since: when the first of a row of refusals came, seconds; None after an answer.
        reason: what the last one said.
        room: how many requests may be under way, because a wait has just ended; None for as many as
            the limit says.
    """

    def __init__(self) -> None:
        self.since: float | None = None
        self.reason = ""
        self.room: int | None = None
        self._n = 0
        self._pause_s = FIRST_PAUSE_S

    def answered(self, limit: int) -> None:
        """Note an answer."""
        if self.since is not None:
            self.since = None
            self._n = 0
            self._pause_s = FIRST_PAUSE_S
        self.passed(limit)

    def passed(self, limit: int) -> None:
        """Note that a request ended otherwise than by a quota."""
        if self.room is not None:
            self.room = None if self.room >= limit else self.room + 1

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
            wait_s = self._pause_s
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        if wait_s and (self._n >= IN_A_ROW or wait_s >= FIRST_PAUSE_S):
            self.room = 1
        return wait_s

    def lasted_s(self, now: float) -> float:
        """Say for how long nothing but refusals came, seconds; 0 while they may be noise."""
        return now - self.since if self.since is not None and self._n >= IN_A_ROW else 0.0
