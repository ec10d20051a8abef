"""Who may send when, on a clock that jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.pacing import AdaptiveLimit, EndpointRateLimiter, FixedLimit, RetryBudget
from llmeval_core.pacing.rate_limiter import OPENS_AFTER
from llmeval_core.records import Generation
from llmeval_core.testing.virtual_time import virtual_time

ANSWER = Generation(("x",), n_prompt_tokens=10, n_completion_tokens=10)


def now() -> float:
    return asyncio.get_running_loop().time()


def error(kind: FailureKind = "connection", retry_after_s: float | None = None) -> ModelError:
    return ModelError(kind, "it said no", retry_after_s=retry_after_s)


async def ask(
    limiter: EndpointRateLimiter, serve: Callable[[], Awaitable[Generation]], *, n_tokens: int = 0
) -> None:
    await limiter.acquire(n_tokens)
    try:
        answer = await serve()
    except ModelError as err:
        limiter.failed(err)
    except asyncio.CancelledError:
        limiter.cancelled()
        raise
    else:
        limiter.answered(answer, latency_s=0.1, n_expected=n_tokens)


@virtual_time
async def test_no_more_than_the_limit_are_under_way_and_all_get_their_turn() -> None:
    limiter, most, order = EndpointRateLimiter(FixedLimit(3)), 0, []

    async def one(number: int) -> None:
        async def serve() -> Generation:
            nonlocal most
            order.append(number)
            most = max(most, limiter.n_under_way)
            await asyncio.sleep(1)
            return ANSWER

        await ask(limiter, serve)

    began = now()
    await asyncio.gather(*(one(number) for number in range(30)))

    assert most == 3
    assert order == list(range(30))
    assert now() - began == pytest.approx(10)
    assert limiter.n_under_way == 0


@virtual_time
async def test_who_is_cancelled_while_waiting_takes_nobodys_place() -> None:
    limiter = EndpointRateLimiter(FixedLimit(1))
    await limiter.acquire()
    waiting = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
    await asyncio.sleep(0)

    for task in waiting[:4]:
        task.cancel()
    limiter.answered(ANSWER, latency_s=0.1)
    await asyncio.wait(waiting)

    assert [task.cancelled() for task in waiting] == [True] * 4 + [False]
    assert limiter.n_under_way == 1


@virtual_time
async def test_who_is_cancelled_when_its_turn_has_just_come_gives_it_on() -> None:
    limiter = EndpointRateLimiter(FixedLimit(1))
    await limiter.acquire()
    first, second = (asyncio.create_task(limiter.acquire()) for _ in range(2))
    await asyncio.sleep(0)

    limiter.answered(ANSWER, latency_s=0.1)
    first.cancel()
    await asyncio.wait([first, second])

    assert first.cancelled()
    assert second.done()
    assert not second.cancelled()


@virtual_time
async def test_a_quota_of_requests_spreads_them_over_the_minutes() -> None:
    limiter = EndpointRateLimiter(FixedLimit(1000), requests_per_minute=600)

    async def serve() -> Generation:
        return ANSWER

    began = now()
    await asyncio.gather(*(ask(limiter, serve) for _ in range(1200)))

    assert 120 <= now() - began <= 140


@virtual_time
async def test_a_quota_of_tokens_counts_what_was_used_not_what_was_expected() -> None:
    limiter = EndpointRateLimiter(FixedLimit(1), tokens_per_minute=6000)

    async def serve() -> Generation:
        return ANSWER

    began = now()
    for _ in range(600):
        await ask(limiter, serve, n_tokens=200)  # uses 20

    assert 120 <= now() - began <= 145


@virtual_time
async def test_retry_after_holds_everybody() -> None:
    limiter = EndpointRateLimiter(FixedLimit(8))
    await limiter.acquire()

    limiter.failed(error("rate_limit", retry_after_s=30))
    began = now()
    await limiter.acquire()

    assert now() - began == pytest.approx(30)


@virtual_time
async def test_a_quota_that_is_used_up_holds_everybody_before_the_server_refuses() -> None:
    limiter = EndpointRateLimiter(FixedLimit(8))
    await limiter.acquire()

    limiter.answered(Generation(("x",), retry_after_s=12.0), latency_s=0.1)
    began = now()
    await limiter.acquire()

    assert now() - began == pytest.approx(12)


@virtual_time
async def test_a_wait_longer_than_our_patience_is_an_error() -> None:
    limiter = EndpointRateLimiter(FixedLimit(8), max_wait_s=60)
    await limiter.acquire()
    limiter.failed(error("rate_limit", retry_after_s=3600))

    with pytest.raises(ModelError, match="the server asks us to wait for 3600 s"):
        await limiter.acquire()


@virtual_time
async def test_a_server_that_is_down_is_probed_by_one_at_a_time_and_told_of_twice() -> None:
    shown: list[str] = []
    limiter, is_up, n_asked = EndpointRateLimiter(FixedLimit(50), notify=shown.append), True, 0

    async def serve() -> Generation:
        nonlocal n_asked
        n_asked += 1
        await asyncio.sleep(0.01)
        if not is_up:
            raise error()
        return ANSWER

    await ask(limiter, serve)
    is_up = False
    await asyncio.gather(*(ask(limiter, serve) for _ in range(50)))
    n_asked_before = n_asked
    later = [asyncio.create_task(ask(limiter, serve)) for _ in range(50)]
    await asyncio.sleep(60)
    n_probes = n_asked - n_asked_before
    is_up = True
    await asyncio.gather(*later)

    assert 4 <= n_probes <= 8
    assert shown == [
        "the server is down, it is tried again now and then: it said no",
        "the server answers again",
    ]


@virtual_time
async def test_a_server_that_stays_down_ends_the_waiting() -> None:
    limiter = EndpointRateLimiter(FixedLimit(50), max_wait_s=100)
    await limiter.acquire()
    limiter.answered(ANSWER, latency_s=0.1)
    for _ in range(OPENS_AFTER):
        await limiter.acquire()
        limiter.failed(error())

    async def serve() -> Generation:
        raise error()

    async def ask_for_ever() -> None:
        while True:
            await ask(limiter, serve)

    began = now()
    with pytest.raises(ModelError, match="the server was down for") as caught:
        await ask_for_ever()

    assert caught.value.hint is not None
    assert "timeouts.unavailable_s" in caught.value.hint
    assert 100 <= now() - began <= 140


@virtual_time
async def test_a_probe_that_is_cancelled_makes_room_for_the_next() -> None:
    limiter = EndpointRateLimiter(FixedLimit(50))
    await limiter.acquire()
    limiter.answered(ANSWER, latency_s=0.1)
    for _ in range(OPENS_AFTER):
        await limiter.acquire()
        limiter.failed(error())

    await limiter.acquire()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(100)
    assert not waiting.done()
    limiter.cancelled()

    await asyncio.wait_for(waiting, 1)


@virtual_time
async def test_refusals_make_an_adaptive_limit_smaller() -> None:
    limiter = EndpointRateLimiter(AdaptiveLimit(max_limit=64, start=64))
    for _ in range(64):
        await limiter.acquire()

    for _ in range(64):
        limiter.failed(error("overloaded"))

    assert limiter.limit == 32


def test_a_run_has_a_hundred_retries_and_what_its_answers_earn() -> None:
    budget = RetryBudget(0.5)

    free = sum(budget.take() for _ in range(1000))
    for _ in range(10):
        budget.earn()
    earned = sum(budget.take() for _ in range(1000))

    assert (free, earned) == (100, 5)
