"""How many requests may be under way, found out while asking.

Growth is tried in rounds of as many answers as the limit has places. In slow start (Jacobson,
"Congestion Avoidance and Control", SIGCOMM 1988) each round doubles the limit; later a round adds
an eighth. A growth that does not raise the rate of answers by at least a quarter of itself is
taken back: more at once would only wait at the server (hill climbing on throughput; a limit on
latency alone, as in TCP Vegas, would stop too early on servers that answer in batches). A server
that refuses makes it smaller by a factor, once an episode (AIMD; Chiu and Jain, "Analysis of the
Increase and Decrease Algorithms", 1989).
"""

from __future__ import annotations

START = 8
"""Requests under way at first."""
SMALLEST_ROUND = 8
"""Answers in a round at least; fewer would be chance."""
DECREASE = 0.7
"""What is left of the limit after a refusal; half in slow start."""
COOL_DOWN_S = 2.0
"""Refusals this soon after a decrease belong to the same episode, seconds."""
REST_ROUNDS = 16
"""Rounds without a try to grow after one that did not pay; 4 after a refusal."""


class AdaptiveLimit:
    """Grows while that pays, shrinks when the server suffers.

    Args:
        most: never more than this.
        start: requests under way at first.

    Attributes:
        limit: how many requests may be under way now.
    """

    def __init__(self, *, most: int, start: int = START) -> None:
        self.limit = min(start, most)
        self._most = most
        self._slow_start = True
        self._cool_until = 0.0
        self._rest = 0
        self._raised_from: tuple[int, float] | None = None
        self._is_settling = True
        self._round_began = 0.0
        self._n_answers = 0
        self._was_full = False

    def answered(self, now: float, *, n_under_way: int) -> None:
        """Note an answer at this time, seconds; `n_under_way` counts it still."""
        self._n_answers += 1
        self._was_full = self._was_full or n_under_way >= self.limit
        if self._n_answers < max(self.limit, SMALLEST_ROUND):
            return
        rate = self._n_answers / max(now - self._round_began, 1e-9)
        was_full, was_settling = self._was_full, self._is_settling
        self._begin_round(now)
        self._is_settling = False
        # The first round after a change still has answers that were asked for before it, and a
        # round in which there was not enough to ask says nothing.
        if was_full and not was_settling:
            self._judge(rate)

    def refused(self, now: float) -> None:
        """Note that the server refused, or did not answer in time."""
        if now < self._cool_until:
            return
        self.limit = max(1, int(self.limit * (0.5 if self._slow_start else DECREASE)))
        self._cool_until = now + COOL_DOWN_S
        self._slow_start = False
        self._raised_from = None
        self._rest = 4
        self._is_settling = True
        self._begin_round(now)

    def _judge(self, rate: float) -> None:
        if self._raised_from is not None:
            before, rate_before = self._raised_from
            self._raised_from = None
            if rate / rate_before - 1 < (self.limit / before - 1) / 4:
                self._change(before)
                self._slow_start = False
                self._rest = REST_ROUNDS
                return
        if self._rest > 0:
            self._rest -= 1
            return
        step = self.limit if self._slow_start else max(1, self.limit // 8)
        higher = min(self._most, self.limit + step)
        if higher > self.limit:
            self._raised_from = (self.limit, rate)
            self._change(higher)

    def _change(self, limit: int) -> None:
        self.limit = limit
        self._is_settling = True

    def _begin_round(self, now: float) -> None:
        self._round_began = now
        self._n_answers = 0
        self._was_full = False
