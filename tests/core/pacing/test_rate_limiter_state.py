"""Whatever order things happen in, the limiter keeps its promises."""

from __future__ import annotations

import asyncio
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.pacing import AdaptiveLimit, EndpointRateLimiter
from llmeval_core.records import Generation
from llmeval_core.testing.virtual_time import VirtualTimeLoop

KINDS: list[FailureKind] = ["rate_limit", "overloaded", "connection", "timeout", "bad_request"]


class Pacing(RuleBasedStateMachine):
    """Enters, answers, fails, cancels and lets time pass, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualTimeLoop()
        self.limiter = EndpointRateLimiter(
            AdaptiveLimit(max_limit=12), requests_per_minute=6000, tokens_per_minute=600_000
        )
        self.waiting: list[asyncio.Task[None]] = []
        self.n_under_way = 0
        self.highest = self.limiter.limit

    def settle(self, seconds: float = 0.0) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self.highest = max(self.highest, self.limiter.limit)
        for task in [task for task in self.waiting if task.done()]:
            self.waiting.remove(task)
            self.n_under_way += not task.cancelled()

    @rule(n_tokens=st.integers(0, 5000))
    def acquire(self, n_tokens: int) -> None:
        self.waiting.append(self.loop.create_task(self.limiter.acquire(n_tokens)))
        self.settle()

    @precondition(lambda self: self.n_under_way)
    @rule(retry_after_s=st.sampled_from([None, None, 0.5, 5.0]))
    def answer(self, retry_after_s: float | None) -> None:
        self.n_under_way -= 1
        answer = Generation(
            ("x",), n_prompt_tokens=5, n_completion_tokens=5, retry_after_s=retry_after_s
        )
        answered = partial(self.limiter.answered, answer, latency_s=0.5, n_expected=100)
        self.loop.call_soon(answered)
        self.settle()

    @precondition(lambda self: self.n_under_way)
    @rule(kind=st.sampled_from(KINDS), retry_after_s=st.sampled_from([None, 0.1, 20.0]))
    def fail(self, kind: FailureKind, retry_after_s: float | None) -> None:
        self.n_under_way -= 1
        error = ModelError(kind, "no", retry_after_s=retry_after_s)
        self.loop.call_soon(self.limiter.failed, error)
        self.settle()

    @precondition(lambda self: self.n_under_way)
    @rule()
    def abandon(self) -> None:
        self.n_under_way -= 1
        self.loop.call_soon(self.limiter.cancelled)
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 100))
    def cancel(self, which: int) -> None:
        self.waiting[which % len(self.waiting)].cancel()
        self.settle()

    @rule(seconds=st.sampled_from([0.01, 1.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.settle(seconds)

    @rule(seconds=st.floats(-100, 0))
    def clock_set_back(self, seconds: float) -> None:
        self.loop.jump(seconds)
        self.settle()

    @invariant()
    def the_count_is_right_and_below_every_limit_there_was(self) -> None:
        assert self.limiter.n_under_way == self.n_under_way <= self.highest

    def teardown(self) -> None:
        """In the end everybody gets a turn."""
        while self.waiting or self.n_under_way:
            if self.n_under_way:
                self.answer(None)
            self.settle(60.0)
        self.loop.close()


Pacing.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPacing = Pacing.TestCase
