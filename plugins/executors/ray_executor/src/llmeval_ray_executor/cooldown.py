"""How long a copy of a model that refuses gets nothing, so that other copies answer instead."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import FailureKind, Generation
from llmeval_core.support import Backoff
from llmeval_ray_executor.worker_messages import AnswerOrError

COOLDOWNS = Backoff(first_s=0.25, longest_s=2.0)
"""How long a copy gets nothing; the cooldown doubles while the copy answers nothing."""
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
        self._n_refusals = 0
        self._until = 0.0

    def record(self, outcomes: Iterable[AnswerOrError], now: float) -> None:
        """Take note of a message of the copy at this time, seconds.

        Errors that are the request's own fault do not count.
        """
        kinds = {None if isinstance(one, Generation) else one.kind for one in outcomes}
        if None in kinds:
            self.is_probing, self._n_refusals, self._until = False, 0, now
        elif kinds & _CAUSED_BY_THE_COPY:
            self._n_refusals += 1
            self.is_probing, self._until = True, now + COOLDOWNS.wait_s(self._n_refusals)

    def remaining_s(self, now: float) -> float:
        """Return how much of the cooldown is left, seconds."""
        return max(0.0, self._until - now)
