"""How many requests may be under way, found out while asking.

A hill is climbed whose height is the rate of answers. While every place is taken, the rate is the
limit divided by the mean latency (Little, "A Proof for the Queuing Formula L = λW", 1961), which
is known long before answers could be counted as exactly. A step is kept if the rate changed by at
least a third of what the limit did: upwards that says that the server had room, downwards that
requests had only waited there. In slow start a step doubles the limit (Jacobson, "Congestion
Avoidance and Control", SIGCOMM 1988); later it is an eighth, up and down by turns. A limit on
latency alone, as in TCP Vegas, would stop too early on servers that answer in batches.

A server that refuses much makes the limit smaller by a factor, once an episode (AIMD; Chiu and
Jain, "Analysis of the Increase and Decrease Algorithms", 1989). Single refusals do not: a server
that fails now and then for reasons of its own would otherwise end up with one request at a time,
as TCP does on a line with noise.
"""

from __future__ import annotations

START = 8
"""Requests under way at first."""
SMALLEST_ROUND = 16
"""Answers that are looked at together, at least; fewer would be chance."""
DECREASE = 0.7
"""What is left of the limit after a refusal; half in slow start."""
COOL_DOWN_S = 2.0
"""Refusals this soon after a decrease belong to the same episode, seconds; or within the time
that an answer takes, if that is longer."""
MOST_REFUSED = 0.15
"""The part of the last attempts, about 64, that may be refused."""
_MEMORY = 1 / 64
REST_ROUNDS = 4
"""Rounds without a step after one that was taken back; twice as many after a refusal."""
RETURN_TO = 0.8
"""The part of a refused limit that is gone back to without trial, a quarter at a time."""
_MOSTLY = 0.8


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
        self._upwards = True
        self._rest = 0
        self._cool_until = 0.0
        self._changed_at = 0.0
        self._refused = 0.0  # the part of the last attempts that were refused
        self._latency_s = 0.0
        self._return_to = 0
        self._before: tuple[int, float] | None = None  # limit and latency before the last step
        self._n_answers = 0
        self._n_full = 0
        self._latency_sum_s = 0.0

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer at this time, seconds; `n_under_way` counts it still."""
        self._refused -= self._refused * _MEMORY
        if now - latency_s < self._changed_at:
            return  # it was asked for under another limit
        self._n_answers += 1
        self._n_full += n_under_way >= self.limit
        self._latency_sum_s += latency_s
        if self._n_answers < max(SMALLEST_ROUND, self.limit * (2 if self._slow_start else 4)):
            return
        self._latency_s = latency_s = self._latency_sum_s / self._n_answers
        was_full = self._n_full >= self._n_answers * _MOSTLY
        self._begin_round()
        if was_full and latency_s > 0:  # else there was not enough to ask, which says nothing
            self._judge(now, latency_s)

    def refused(self, now: float) -> None:
        """Note that the server refused, or did not answer in time."""
        self._refused += (1 - self._refused) * _MEMORY
        if now < self._cool_until or self._refused < MOST_REFUSED:
            return
        self._cool_until = now + max(COOL_DOWN_S, self._latency_s)
        self._refused /= 2
        self._return_to = int(self.limit * RETURN_TO)
        self._set(now, max(1, int(self.limit * (0.5 if self._slow_start else DECREASE))))
        self._slow_start = False
        self._upwards = True
        self._before = None
        self._rest = 2 * REST_ROUNDS

    def _judge(self, now: float, latency_s: float) -> None:
        if self.limit < self._return_to:
            self._set(now, min(self._return_to, self.limit + max(1, self.limit // 4)))
            return
        if self._before is not None:
            limit, before_s = self._before
            self._before = None
            change = self.limit / limit - 1
            gain = (self.limit / limit) * (before_s / latency_s) - 1
            if gain < change / 3:
                self._set(now, limit)
                self._slow_start = False
                self._upwards = not self._upwards
                self._rest = REST_ROUNDS
                return
        if self._rest > 0:
            self._rest -= 1
            return
        self._step(now, latency_s)

    def _step(self, now: float, latency_s: float) -> None:
        step = self.limit if self._slow_start else max(1, self.limit // 8)
        wanted = min(self._most, max(1, self.limit + (step if self._upwards else -step)))
        if wanted == self.limit:
            self._upwards = not self._upwards
            return
        self._before = (self.limit, latency_s)
        self._set(now, wanted)

    def _set(self, now: float, limit: int) -> None:
        self.limit = limit
        self._changed_at = now
        self._begin_round()

    def _begin_round(self) -> None:
        self._n_answers = 0
        self._n_full = 0
        self._latency_sum_s = 0.0
