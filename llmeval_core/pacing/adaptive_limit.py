"""How many requests may be under way, found out while sending.

The limit is hill climbing on the rate of answers. While every place is taken, that rate is the
limit divided by the mean latency (Little, "A Proof for the Queuing Formula L = λW", 1961), which
is known long before answers could be counted as exactly. A step is kept if the rate changed by at
least a third of what the limit did: upwards that says that the server had room, downwards that
requests had only waited there. A limit on latency alone, as in TCP Vegas, would stop too early on
servers that answer in batches.

Answers are judged a round at a time, and only rounds in which the limit was really used. States
and transitions:

* *slow start* (at first): every step doubles the limit (Jacobson, "Congestion Avoidance and
  Control", SIGCOMM 1988). One that does not pay is taken back -> resting.
* *climbing*: every step is an eighth of the limit. One that pays is followed by another in the
  same direction; one that does not is taken back, and the direction turns -> resting.
* *resting*: no step for `REST_ROUNDS` rounds, then -> climbing.
* *recovering* (the limit is below `RECOVERY` of what was overloaded last): each round adds a
  quarter without trial, until that is reached; then it rests.
* Any state -> recovering: the server is overloaded. The limit is multiplied by `DECREASE`, once an
  episode (AIMD; Chiu and Jain, "Analysis of the Increase and Decrease Algorithms", 1989), and what
  was learnt of the last step is forgotten.

Overload is a matter of share: single refusals change nothing. A server that fails now and then for
reasons of its own would otherwise end up with one request at a time, as TCP does on a line with
noise.
"""

from __future__ import annotations

START = 8
"""Requests under way at first."""
MIN_ROUND = 16
"""Answers that are judged together, at least; fewer would be chance."""
DECREASE = 0.7
"""What is left of the limit after overload; half in slow start."""
COOL_DOWN_S = 2.0
"""Overload this soon after a decrease belongs to the same episode, seconds; or within the time
that an answer takes, if that is longer."""
MAX_OVERLOADED = 0.15
"""The share of the last attempts, about 64, that may meet an overloaded server."""
SMOOTHING = 1 / 64
"""The weight of the newest attempt in that share."""
REST_ROUNDS = 4
"""Rounds without a step after one that was taken back; twice as many after overload."""
RECOVERY = 0.8
"""The part of an overloaded limit that is gone back to without trial, a quarter at a time."""
_MIN_FULL = 0.8
"""The share of a round's answers that found every place taken, for the round to be judged."""


class AdaptiveLimit:
    """Grows while that pays, shrinks when the server is overloaded.

    Args:
        max_limit: never more than this.
        start: requests under way at first.

    Attributes:
        limit: how many requests may be under way now.
    """

    def __init__(self, *, max_limit: int, start: int = START) -> None:
        self.limit = min(start, max_limit)
        self._max_limit = max_limit
        self._slow_start = True
        self._upwards = True
        self._rounds_to_rest = 0
        self._cool_until = 0.0
        self._changed_at = 0.0
        self._overloaded = 0.0  # the share of the last attempts
        self._latency_s = 0.0
        self._recover_to = 0
        self._before_step: tuple[int, float] | None = None  # limit and latency
        self._n_answers = 0
        self._n_full = 0
        self._latency_sum_s = 0.0

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer at this time, seconds; `n_under_way` counts it still."""
        self._overloaded -= self._overloaded * SMOOTHING
        if now - latency_s < self._changed_at:
            return  # it was sent under another limit
        self._n_answers += 1
        self._n_full += n_under_way >= self.limit
        self._latency_sum_s += latency_s
        if self._n_answers < max(MIN_ROUND, self.limit * (2 if self._slow_start else 4)):
            return
        self._latency_s = latency_s = self._latency_sum_s / self._n_answers
        was_full = self._n_full >= self._n_answers * _MIN_FULL
        self._begin_round()
        if was_full and latency_s > 0:  # else there was not enough to send, which says nothing
            self._judge(now, latency_s)

    def overloaded(self, now: float) -> None:
        """Note that the server refused a request, or did not answer in time."""
        self._overloaded += (1 - self._overloaded) * SMOOTHING
        if now < self._cool_until or self._overloaded < MAX_OVERLOADED:
            return
        self._cool_until = now + max(COOL_DOWN_S, self._latency_s)
        self._overloaded /= 2
        self._recover_to = int(self.limit * RECOVERY)
        self._set(now, max(1, int(self.limit * (0.5 if self._slow_start else DECREASE))))
        self._slow_start = False
        self._upwards = True
        self._before_step = None
        self._rounds_to_rest = 2 * REST_ROUNDS

    def _judge(self, now: float, latency_s: float) -> None:
        """Decide what a full round means: recover, take the last step back, rest, or go on."""
        if self.limit < self._recover_to:
            self._set(now, min(self._recover_to, self.limit + max(1, self.limit // 4)))
            return
        if self._before_step is not None:
            limit, before_s = self._before_step
            self._before_step = None
            change = self.limit / limit - 1
            gain = (self.limit / limit) * (before_s / latency_s) - 1
            if gain < change / 3:
                self._set(now, limit)
                self._slow_start = False
                self._upwards = not self._upwards
                self._rounds_to_rest = REST_ROUNDS
                return
        if self._rounds_to_rest > 0:
            self._rounds_to_rest -= 1
            return
        self._step(now, latency_s)

    def _step(self, now: float, latency_s: float) -> None:
        step = self.limit if self._slow_start else max(1, self.limit // 8)
        wanted = min(self._max_limit, max(1, self.limit + (step if self._upwards else -step)))
        if wanted == self.limit:
            self._upwards = not self._upwards
            return
        self._before_step = (self.limit, latency_s)
        self._set(now, wanted)

    def _set(self, now: float, limit: int) -> None:
        self.limit = limit
        self._changed_at = now
        self._begin_round()

    def _begin_round(self) -> None:
        self._n_answers = 0
        self._n_full = 0
        self._latency_sum_s = 0.0
