"""How many requests may be under way with a model that told how many it serves.

There is nothing to find out, so all may go at once from the start. A model that is overloaded all
the same gets less, by a factor once an episode, and more again step by step (AIMD; Chiu and Jain,
"Analysis of the Increase and Decrease Algorithms", 1989).
"""

from __future__ import annotations

from llmeval_core.pacing.adaptive_limit import COOL_DOWN_S, DECREASE, MOST_REFUSED, RETURN_TO

_MEMORY = 1 / 64
_FADING = 0.9
"""What is left, after each episode, of the limit that is soon gone back to."""


class DeclaredLimit:
    """All from the start, less while the model refuses much.

    Args:
        n_served: how many requests the model serves at once.
        most: how many may be under way, those that wait for it among them; all that waits is
            given up first when the model refuses.
        least: never fewer than this: one for each copy, which is no overload.

    Attributes:
        limit: how many requests may be under way now.
    """

    def __init__(self, *, n_served: int, most: int, least: int = 1) -> None:
        self.limit = most
        self._n_served = n_served
        self._most = most
        self._least = min(least, n_served, most)
        self._refused = 0.0  # the part of the last attempts that were refused
        self._cool_until = 0.0
        self._latency_s = 0.0
        self._return_to = 0.0
        self._n_answers = 0

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer at this time, seconds.

        After as many as may go now, one more may go; a quarter more up to 0.8 of what was
        lately refused.
        """
        self._refused -= self._refused * _MEMORY
        self._latency_s = latency_s
        if self.limit == self._most:
            return
        self._n_answers += 1
        if self._n_answers >= self.limit:
            self._n_answers = 0
            step = max(1, self.limit // 4) if self.limit < self._return_to else 1
            self.limit = self._most if self.limit + step >= self._n_served else self.limit + step

    def refused(self, now: float) -> None:
        """Note that the model refused, or did not answer in time."""
        self._refused += (1 - self._refused) * _MEMORY
        if now < self._cool_until or self._refused < MOST_REFUSED:
            return
        self._cool_until = now + max(COOL_DOWN_S, self._latency_s)
        self._refused /= 2
        self._n_answers = 0
        used = min(self.limit, self._n_served)
        self._return_to = max(self._return_to * _FADING, used * RETURN_TO)
        self.limit = max(self._least, int(used * DECREASE))
