"""How long a copy of a model that refuses gets nothing, so that other copies answer instead."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import FailureKind, Generation
from llmeval_ray_executor.worker_messages import AnswerOrError

FIRST_S = 0.25
"""First cooldown, seconds; it doubles while nothing is answered."""
LONGEST_S = 2.0
"""Longest cooldown, seconds."""
_CAUSED_BY_THE_COPY: frozenset[FailureKind] = frozenset(
    {"rate_limit", "overloaded", "connection", "malformed"}
)


class Cooldown:
    """A circuit breaker for one copy of a model.

    States and transitions:

    * *working*: requests go to the copy. A message with errors of the copy's own and no answer
      -> *cooling down*.
    * *cooling down*: it gets nothing. The cooldown is over -> *probing*.
    * *probing*: it gets one request at a time. It answers one -> *working*, and the next cooldown
      is the shortest again; it refuses -> *cooling down*, for twice as long.

    Attributes:
        is_probing: whether the copy has refused and answered nothing since; true while it cools
            down as well.
    """

    def __init__(self) -> None:
        self.is_probing = False
        self._next_s = FIRST_S
        self._until = 0.0

    def record(self, outcomes: Iterable[AnswerOrError], now: float) -> None:
        """Take note of a message of the copy at this time, seconds.

        Errors that are the request's own fault do not count.
        """
        kinds = {None if isinstance(one, Generation) else one.kind for one in outcomes}
        if None in kinds:
            self.is_probing, self._next_s, self._until = False, FIRST_S, now
        elif kinds & _CAUSED_BY_THE_COPY:
            self.is_probing, self._until = True, now + self._next_s
            self._next_s = min(LONGEST_S, 2 * self._next_s)

    def remaining_s(self, now: float) -> float:
        """Return how much of the cooldown is left, seconds."""
        return max(0.0, self._until - now)
