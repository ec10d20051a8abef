"""How many requests may be under way with a model that told how many it serves.

There is nothing to find out, so all may go at once from the start. A model that is overloaded all
the same gets less, by a factor once an episode, and more again step by step (AIMD; Chiu and Jain,
"Analysis of the Increase and Decrease Algorithms", 1989).
"""

from __future__ import annotations

from llmeval_core.pacing.adaptive import COOL_DOWN_S, DECREASE, MOST_REFUSED

_MEMORY = 1 / 64


class KnownLimit:
    """All from the start, less while the model refuses much.

    Args:
        n_served: how many requests the model serves at once.
        most: how many may be under way, those that wait for it among them; all that waits is
            given up first when the model refuses.

    Attributes:
        limit: how many requests may be under way now.
    """

    def __init__(self, *, n_served: int, most: int) -> None:
        self.limit = most
        self._n_served = n_served
        self._most = most
        self._refused = 0.0  # the part of the last attempts that were refused
        self._cool_until = 0.0
        self._n_answers = 0

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer at this time, seconds; one more may go after as many as may go now."""
        self._refused -= self._refused * _MEMORY
        if self.limit == self._most:
            return
        self._n_answers += 1
        if self._n_answers >= self.limit:
            self._n_answers = 0
            self.limit = self._most if self.limit + 1 >= self._n_served else self.limit + 1

    def refused(self, now: float) -> None:
        """Note that the model refused, or did not answer in time."""
        self._refused += (1 - self._refused) * _MEMORY
        if now < self._cool_until or self._refused < MOST_REFUSED:
            return
        self._cool_until = now + COOL_DOWN_S
        self._refused /= 2
        self._n_answers = 0
        self.limit = max(1, int(min(self.limit, self._n_served) * DECREASE))
