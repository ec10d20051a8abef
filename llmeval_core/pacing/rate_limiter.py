"""The one place that all requests to one server pass, whatever task and model they are for."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.pacing.rate_limit_backoff import RateLimitBackoff
from llmeval_core.pacing.retry_budget import RetryBudget
from llmeval_core.pacing.token_bucket import TokenBucket
from llmeval_core.records import Generation
from llmeval_core.support import Backoff, CircuitBreaker

OPENS_AFTER = 10
"""Failures in a row after which a server that has answered before counts as down."""
PROBES = Backoff(first_s=1.0, longest_s=30.0)
"""How long a server that is down is left alone before it is probed, and between two probes."""
_MIN_ALARM_S = 0.001  # an alarm that rings at once would ring for ever
_MIN_NOTIFIED_S = 5.0  # shorter pauses would only fill the screen


class Limit(Protocol):
    """How many requests may be under way; see `AdaptiveLimit`."""

    limit: int

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Note an answer."""

    def overloaded(self, now: float) -> None:
        """Note that the server refused a request, or did not answer in time."""


class FixedLimit:
    """A limit that the user set."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def answered(self, now: float, *, latency_s: float, n_under_way: int) -> None:
        """Change nothing."""

    def overloaded(self, now: float) -> None:
        """Change nothing."""


@dataclass(slots=True)
class _Waiter:
    turn: asyncio.Future[None]
    n_tokens: int


class EndpointRateLimiter:
    """Lets requests through, first come, first served; belongs to one event loop.

    Each `acquire` is followed by exactly one of `answered`, `failed` and `cancelled`. States and
    transitions of a request:

    * `acquire` -> *under way*, if nobody waits and nothing at all speaks against it; else
      -> *waiting*, at the end of the queue.
    * waiting -> under way: it is the first of the queue, and the pump lets it through: fewer
      than `limit` are under way, no pause that the server asked for is left, both token buckets
      have enough, a slow start has room (`RateLimitBackoff`), and the circuit is closed or this
      request is the probe (`CircuitBreaker`).
    * waiting -> over: whoever waits was cancelled; or the pump gives up on all that wait, because
      the server was down, or refused everything, for longer than `max_wait_s`, or asks for a
      longer pause than that.
    * under way -> over: `answered`, `failed` or `cancelled`.

    The pump runs when a request begins to wait, when one under way is over, and when the alarm
    rings that it set for the moment at which the first of the queue may pass. While a probe is
    under way there is no alarm: the end of the probe runs the pump.

    Args:
        limit: how many at once.
        requests_per_minute, tokens_per_minute: quotas; None for none.
        retries: the run's budget of retries; None for no bound.
        max_wait_s: how long the server may be down, ask us to wait, or refuse everything because
            of a quota, seconds.
        notify: is given one line when the server goes down, when it is back, and when all wait
            because it asks for that.
    """

    def __init__(
        self,
        limit: Limit,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        retries: RetryBudget | None = None,
        max_wait_s: float = math.inf,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self._limit = limit
        self._per_minute = (requests_per_minute, tokens_per_minute)
        self._buckets: tuple[TokenBucket | None, TokenBucket | None] | None = None
        self._retries = retries
        self._max_wait_s = max_wait_s
        self._on_change = notify
        self._circuit = CircuitBreaker(PROBES, opens_after=OPENS_AFTER, needs_success=True)
        self._backoff = RateLimitBackoff()
        self._paused_until = 0.0
        self._notified_until = 0.0
        self._n_under_way = 0
        self._waiting: deque[_Waiter] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._has_quota = any(self._per_minute)

    @property
    def n_under_way(self) -> int:
        """Requests that are with the server."""
        return self._n_under_way

    @property
    def limit(self) -> int:
        """How many may be."""
        return self._limit.limit

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a request is expected to use."""
        return self._per_minute[1] is not None

    def may_retry(self) -> bool:
        """Take one of the run's retries, if there is one left."""
        return self._retries is None or self._retries.take()

    async def acquire(self, n_tokens: int = 0) -> None:
        """Wait until one more request may be sent; `n_tokens` is what it is expected to use.

        Raises:
            ModelError: the server was away longer than anyone wants to wait.
        """
        if (
            not self._waiting
            and self._n_under_way < self._limit.limit
            and not self._has_quota
            and not self._paused_until
            and self._circuit.since is None
            and self._backoff.since is None
            and self._backoff.slow_from is None
        ):
            self._n_under_way += 1
            return
        waiter = _Waiter(asyncio.get_running_loop().create_future(), n_tokens)
        self._waiting.append(waiter)
        self._pump()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled() and not waiter.turn.exception():
                self.cancelled()  # our turn had come
            raise

    def answered(self, generation: Generation, *, latency_s: float, n_expected: int = 0) -> None:
        """Note an answer, how long it took, and the tokens it was expected to use."""
        now = _now()
        self._limit.answered(now, latency_s=latency_s, n_under_way=self._n_under_way)
        if self._retries is not None:
            self._retries.earn()
        self._backoff.answered()
        if self._has_quota and generation.n_prompt_tokens is not None:
            n_used = generation.n_prompt_tokens + (generation.n_completion_tokens or 0)
            self._use_quota(0, max(0, n_used) - n_expected, now)
        if generation.retry_after_s:
            self._pause(now, generation.retry_after_s, "its quota is used up")
        if self._circuit.succeeded():
            self._notify("the server answers again")
        self._note_over()

    def failed(self, error: ModelError) -> None:
        """Note that a request failed."""
        now = _now()
        if error.kind in ("rate_limit", "overloaded", "timeout"):
            self._limit.overloaded(now)
        wait_s = error.retry_after_s
        if error.kind == "rate_limit":
            is_paused = now < self._paused_until
            wait_s = self._backoff.refused(now, wait_s, error.what, is_paused=is_paused)
        if wait_s:
            self._pause(now, wait_s, error.what)
        if error.kind in ("connection", "timeout", "overloaded", "malformed"):
            if self._circuit.failed(now, error.what):
                self._notify(f"the server is down, it is tried again now and then: {error.what}")
        elif self._circuit.succeeded():
            self._notify("the server answers again")
        self._note_over()

    def cancelled(self) -> None:
        """Note that we no longer wait for the answer."""
        self._circuit.cancelled(_now())
        self._note_over()

    def _note_over(self) -> None:
        self._n_under_way -= 1
        if self._waiting:
            self._pump()

    def _pump(self) -> None:
        """Let through whoever may pass; set an alarm for the next one."""
        now = _now()
        if self._paused_until and now >= self._paused_until:
            self._paused_until = 0.0
        while self._waiting and self._n_under_way < self._limit.limit:
            waiter = self._waiting[0]
            if waiter.turn.done():
                self._waiting.popleft()
                continue
            wait_s = self._wait_s(waiter.n_tokens, now)
            if wait_s is None:
                return  # a probe is under way; its end pumps
            if wait_s > 0:
                self._wake_in(wait_s)
                return
            self._waiting.popleft()
            self._n_under_way += 1
            self._circuit.sent()
            self._use_quota(1, waiter.n_tokens, now)
            waiter.turn.set_result(None)

    def _wait_s(self, n_tokens: int, now: float) -> float | None:
        probe_in_s = self._circuit.wait_s(now)
        pause_s = max(0.0, self._paused_until - now)
        since = self._circuit.since
        if since is not None and now - since >= self._max_wait_s:
            self._give_up(f"the server was down for {now - since:.0f} s: {self._circuit.reason}")
            return None
        if pause_s > self._max_wait_s:
            self._give_up(f"the server asks us to wait for {pause_s:.0f} s", kind="rate_limit")
            return None
        refused_s = self._backoff.lasted_s(now)
        if refused_s > self._max_wait_s:
            what = f"the server answered nothing for {refused_s:.0f} s: {self._backoff.reason}"
            self._give_up(what, kind="rate_limit")
            return None
        if probe_in_s is None:
            return None
        requests, tokens = self._both_buckets(now)
        return max(
            pause_s,
            probe_in_s,
            self._backoff.wait_s(self._n_under_way, self._limit.limit, now),
            requests.wait_s(1, now) if requests else 0.0,
            tokens.wait_s(n_tokens, now) if tokens else 0.0,
        )

    def _pause(self, now: float, seconds: float, reason: str) -> None:
        """Let nobody through for a while; say so, if it is long enough to be noticed."""
        until = now + seconds
        self._paused_until = max(self._paused_until, until)
        is_news = until >= self._notified_until + _MIN_NOTIFIED_S
        if _MIN_NOTIFIED_S <= seconds <= self._max_wait_s and is_news:
            self._notified_until = until
            self._notify(f"waiting {seconds:.0f} s, because the server asks for it: {reason}")

    def _give_up(self, what: str, *, kind: FailureKind = "connection") -> None:
        hint = "run again when it is well: what is finished is kept; timeouts.unavailable_s"
        while self._waiting:
            turn = self._waiting.popleft().turn
            if not turn.done():
                turn.set_exception(ModelError(kind, what, hint=hint))

    def _use_quota(self, n_requests: int, n_tokens: int, now: float) -> None:
        if self._has_quota:
            for bucket, amount in zip(self._both_buckets(now), (n_requests, n_tokens), strict=True):
                if bucket is not None and amount:
                    bucket.use(amount, now)

    def _both_buckets(self, now: float) -> tuple[TokenBucket | None, TokenBucket | None]:
        if self._buckets is None:
            requests, tokens = self._per_minute
            self._buckets = (
                TokenBucket(requests, now) if requests else None,
                TokenBucket(tokens, now) if tokens else None,
            )
        return self._buckets

    def _wake_in(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(max(_MIN_ALARM_S, min(seconds, self._max_wait_s)), self._pump)

    def _notify(self, text: str) -> None:
        if self._on_change is not None:
            self._on_change(text)


def _now() -> float:
    return asyncio.get_running_loop().time()
