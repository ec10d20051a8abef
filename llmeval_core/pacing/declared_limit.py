"""How many requests may be under way with a model that declares how many it serves.

There is nothing to find out, so all may go at once from the start. A model that is overloaded all
the same gets less, by a factor once an episode, and more again step by step (AIMD; Chiu and Jain,
"Analysis of the Increase and Decrease Algorithms", 1989).
"""

from __future__ import annotations

from llmeval_core.pacing.adaptive_limit import (
    COOL_DOWN_S,
    DECREASE,
    MAX_OVERLOADED,
    RECOVERY,
    SMOOTHING,
)

_RECOVERY_DECAY = 0.9
"""What is left, after each episode, of the limit that is soon gone back to."""


class DeclaredLimit:
    """All from the start, less while the model is overloaded.

    Args:
        n_served: how many requests the model serves at once.
        max_limit: how many may be under way, those that wait for it among them; all that waits is
            given up first when the model is overloaded.
        min_limit: never fewer than this: one for each copy, which is no overload.

    Attributes:
        limit: how many requests may be under way now.
    """

    def __init__(self, *, n_served: int, max_limit: int, min_limit: int = 1) -> None:
        self.limit = max_limit
        self._n_served = n_served
        self._max_limit = max_limit
        self._min_limit = min(min_limit, n_served, max_limit)
        self._overloaded = 0.0  # the share of the last attempts
        self._cool_until = 0.0
        self._latency_s = 0.0
        self._recover_to = 0.0
        self._n_answers = 0

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer at this time, seconds.

        After as many as may go now, one more may go; a quarter more up to 0.8 of what was
        overloaded last.
        """
        self._overloaded -= self._overloaded * SMOOTHING
        self._latency_s = latency_s
        if self.limit == self._max_limit:
            return
        self._n_answers += 1
        if self._n_answers >= self.limit:
            self._n_answers = 0
            step = max(1, self.limit // 4) if self.limit < self._recover_to else 1
            is_whole = self.limit + step >= self._n_served
            self.limit = self._max_limit if is_whole else self.limit + step

    def overloaded(self, now: float) -> None:
        """Note that the model refused a request, or did not answer in time."""
        self._overloaded += (1 - self._overloaded) * SMOOTHING
        if now < self._cool_until or self._overloaded < MAX_OVERLOADED:
            return
        self._cool_until = now + max(COOL_DOWN_S, self._latency_s)
        self._overloaded /= 2
        self._n_answers = 0
        used = min(self.limit, self._n_served)
        self._recover_to = max(self._recover_to * _RECOVERY_DECAY, used * RECOVERY)
        self.limit = max(self._min_limit, int(used * DECREASE))
