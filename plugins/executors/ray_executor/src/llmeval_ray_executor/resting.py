"""How long a copy of a model that refuses gets nothing, so that other copies answer instead."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.hooks import FailureKind, Generation
from llmeval_ray_executor.wire import Outcome

FIRST_S = 0.25
"""First rest, seconds; it doubles while nothing is answered."""
LONGEST_S = 2.0
"""Longest rest, seconds."""
_OF_THE_COPY: frozenset[FailureKind] = frozenset(
    {"rate_limit", "overloaded", "connection", "malformed"}
)


class Rest:
    """Counts messages without an answer.

    Attributes:
        on_trial: whether the copy refused, and has answered nothing since.
    """

    def __init__(self) -> None:
        self.on_trial = False
        self._next_s = FIRST_S
        self._until = 0.0

    def note(self, outcomes: Iterable[Outcome], now: float) -> None:
        """Note what a copy sent at this time, seconds; refusals of a request's own do not count."""
        kinds = {None if isinstance(one, Generation) else one.kind for one in outcomes}
        if None in kinds:
            self.on_trial, self._next_s, self._until = False, FIRST_S, now
        elif kinds & _OF_THE_COPY:
            self.on_trial, self._until = True, now + self._next_s
            self._next_s = min(LONGEST_S, 2 * self._next_s)

    def left_s(self, now: float) -> float:
        """Say how much of its rest is left, seconds."""
        return max(0.0, self._until - now)
