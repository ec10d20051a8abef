"""Servers that refuse because of a quota: how long all wait, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.config import RetryConfig
from llmeval_core.contracts import ExecutionRequest
from llmeval_core.errors import ModelError
from llmeval_core.generation import LocalExecutor
from llmeval_core.pacing import AdaptiveLimit, EndpointRateLimiter, FixedLimit, Limit, RetryBudget
from llmeval_core.pacing.rate_limit_backoff import PAUSES, RateLimitBackoff
from llmeval_core.records import Failure, Generation, Request
from llmeval_core.testing import make_request
from llmeval_core.testing.virtual_time import virtual_time

ANSWER = Generation(("x",), n_prompt_tokens=1, n_completion_tokens=1)


def now() -> float:
    return asyncio.get_running_loop().time()


class Window:
    """A model that answers so many requests in each window of time, and refuses the others."""

    def __init__(self, most: int, window_s: float, *, tells: bool) -> None:
        self._most = most
        self._window_s = window_s
        self._tells = tells
        self._answered: Counter[int] = Counter()
        self.n_refused = 0

    async def generate(self, request: Request) -> Generation:
        window, passed_s = divmod(now(), self._window_s)
        await asyncio.sleep(0.1)
        if self._answered[int(window)] < self._most:
            self._answered[int(window)] += 1
            return ANSWER
        self.n_refused += 1
        left_s = self._window_s - passed_s
        raise ModelError("rate_limit", "slow down", retry_after_s=left_s if self._tells else None)

    async def aclose(self) -> None:
        """Nothing to close."""


async def ask_all(model: Window, n: int, limit: Limit, shown: list[str]) -> list[object]:
    """Ask so many requests as a run does; return the answers."""
    retries = RetryBudget(0.0)
    limiter = EndpointRateLimiter(limit, retries=retries, max_wait_s=300.0, notify=shown.append)
    answers: list[object] = []

    async def requests() -> AsyncIterator[Request]:
        for number in range(n):
            yield make_request(f"question {number}")

    async def finish(request: Request, answer: Generation | Failure) -> None:
        answers.append(answer)

    async def opened() -> Window:
        return model

    await LocalExecutor().run(
        ExecutionRequest("fake/m", opened, 256, RetryConfig(), 120.0, rate_limiter=limiter),
        requests(),
        finish,
    )
    return answers


@pytest.mark.parametrize("tells", [True, False])
@pytest.mark.parametrize("limit", [AdaptiveLimit(max_limit=256), FixedLimit(32)])
@virtual_time
async def test_a_window_of_three_requests_is_waited_for_and_all_are_answered(
    limit: Limit, *, tells: bool
) -> None:
    """s07-429-tells-the-wait-in-its-body (eval-window.yaml)."""
    model, shown, began = Window(3, 20.0, tells=tells), list[str](), now()

    answers = await ask_all(model, 40, limit, shown)

    assert answers == [ANSWER] * 40
    assert 13 * 20 - 20 <= now() - began <= 2 * 13 * 20
    assert model.n_refused < 8 * 40
    assert any(line.startswith("waiting ") for line in shown)


@virtual_time
async def test_a_minutes_quota_without_a_word_is_waited_for() -> None:
    model, shown, began = Window(10, 60.0, tells=False), list[str](), now()

    answers = await ask_all(model, 40, AdaptiveLimit(max_limit=64), shown)

    assert answers == [ANSWER] * 40
    assert now() - began <= 7 * 60


@virtual_time
async def test_a_server_that_refuses_everything_ends_the_waiting() -> None:
    model, began = Window(0, 60.0, tells=False), now()

    with pytest.raises(ModelError, match="the server answered nothing for") as caught:
        await ask_all(model, 40, AdaptiveLimit(max_limit=64), [])

    assert caught.value.kind == "rate_limit"
    assert caught.value.hint is not None
    assert "timeouts.unavailable_s" in caught.value.hint
    assert 300 <= now() - began <= 300 + 2 * PAUSES.longest_s


@virtual_time
async def test_single_refusals_hold_up_nobody_else() -> None:
    limiter = EndpointRateLimiter(FixedLimit(8))
    for _ in range(4):
        await limiter.acquire()
        limiter.failed(ModelError("rate_limit", "slow down"))

    began = now()
    await limiter.acquire()

    assert now() == began


@virtual_time
async def test_after_a_wait_requests_go_one_by_one_and_soon_as_many_as_before() -> None:
    limiter = EndpointRateLimiter(FixedLimit(8))
    await limiter.acquire()
    limiter.failed(ModelError("rate_limit", "slow down", retry_after_s=10.0))
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(8)]

    await asyncio.sleep(9.9)
    seen = []
    for _ in range(4):
        seen.append(limiter.n_under_way)
        await asyncio.sleep(0.5)

    assert seen == [0, 1, 3, 6]
    await asyncio.sleep(0.5)
    assert limiter.n_under_way == 8
    await asyncio.wait(waiting)


@virtual_time
async def test_a_wait_is_shown_with_its_length_and_reason() -> None:
    shown: list[str] = []
    limiter = EndpointRateLimiter(FixedLimit(8), notify=shown.append)
    for _ in range(3):
        await limiter.acquire()

    for _ in range(2):
        limiter.failed(ModelError("rate_limit", "HTTP 429: slow down", retry_after_s=20.0))
    limiter.answered(Generation(("x",), retry_after_s=59.0), latency_s=1.0)

    assert shown == [
        "waiting 20 s, because the server asks for it: HTTP 429: slow down",
        "waiting 59 s, because the server asks for it: its quota is used up",
    ]


@given(st.lists(st.one_of(st.none(), st.floats(0, 100), st.just("answer")), max_size=60))
def test_waits_are_bounded_and_answers_forget_everything(
    events: list[float | str | None],
) -> None:
    backoff, at = RateLimitBackoff(), 0.0

    for event in events:
        at += 100.0
        if event == "answer":
            backoff.answered()
            assert backoff.since is None
            assert backoff.lasted_s(at) == 0.0
            continue
        retry_after_s = event if isinstance(event, float) else None
        wait_s = backoff.refused(at, retry_after_s, "no", is_paused=False)
        assert wait_s == retry_after_s or (
            retry_after_s is None and 0 < (wait_s or 0) <= PAUSES.longest_s
        )
        assert backoff.wait_s(0, 8, at + (wait_s or 0)) == 0.0
