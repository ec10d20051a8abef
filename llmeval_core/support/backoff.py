"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass

_MOST_DOUBLINGS = 60  # beyond it a float may overflow


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off: a schedule, which holds no state.

    The caller counts failures in a row, from 1, and begins anew after a success.

    >>> [Backoff(0.5, 3.0).wait_s(n) for n in (1, 2, 3, 4)]
    [0.5, 1.0, 2.0, 3.0]

    Args:
        first_s: the wait after the first failure, seconds.
        longest_s: the longest wait, seconds; `math.inf` for no bound.
        factor: how much longer each wait is than the one before.
        spread: the wait is multiplied by a random number between these two, so that many callers
            do not come back together: `(0, 1)` is full jitter ("Exponential Backoff And Jitter",
            AWS Architecture Blog, 2015). `(1, 1)` is no jitter.
    """

    first_s: float
    longest_s: float
    factor: float = 2.0
    spread: tuple[float, float] = (1.0, 1.0)

    def wait_s(
        self, n_failures: int, *, told_s: float | None = None, chance: random.Random | None = None
    ) -> float:
        """Return how long to wait after so many failures in a row, seconds; 0 after none.

        Args:
            n_failures: in a row, from 1.
            told_s: how long the other side asked to wait: the least, also beyond `longest_s`.
            chance: where the random number comes from.
        """
        if n_failures < 1:
            return told_s or 0.0
        steps = min(n_failures - 1, _MOST_DOUBLINGS)
        wait_s = min(self.longest_s, self.first_s * self.factor**steps)
        least, most = self.spread
        if least != most:
            wait_s = (chance or random).uniform(least * wait_s, most * wait_s)
        else:
            wait_s *= least
        return max(wait_s, told_s or 0.0)
