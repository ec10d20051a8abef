"""Asking: what is tried again, how long is waited, and when it ends; on a virtual clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from llmeval_core.config import RetryConfig
from llmeval_core.contracts import ExecutionRequest
from llmeval_core.errors import FailureKind, ModelError
from llmeval_core.generation import LocalExecutor, RequestRunner, backoff_s
from llmeval_core.pacing import EndpointRateLimiter, FixedLimit, RetryBudget
from llmeval_core.records import Failure, Generation, Request
from llmeval_core.testing import FakeModel, make_request
from llmeval_core.testing.virtual_time import virtual_time

RETRY = RetryConfig(max_attempts=5, base_s=1.0, max_s=10.0)


class Clock:
    """Remembers how long was slept, and returns at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def runner(model: FakeModel, clock: Clock, *, timeout_s: float = 10.0) -> RequestRunner:
    async def opened() -> FakeModel:
        return model

    sleep: Callable[[float], Awaitable[None]] = clock.sleep
    return RequestRunner(
        model, ExecutionRequest("fake/m", opened, 4, RETRY, timeout_s), sleep=sleep
    )


@pytest.mark.parametrize("kind", ["rate_limit", "overloaded", "timeout", "malformed"])
async def test_a_passing_failure_is_tried_again(kind: FailureKind) -> None:
    clock = Clock()
    model = FakeModel(fail_first=[ModelError(kind, "busy")] * 4)

    answer = await runner(model, clock).send(make_request())

    assert isinstance(answer, Generation)
    assert len(clock.slept) == 4


async def test_after_the_last_attempt_it_is_a_failure() -> None:
    clock = Clock()
    model = FakeModel(fail_first=[ModelError("overloaded", "busy")] * 9)

    answer = await runner(model, clock).send(make_request())

    assert answer == Failure("overloaded", "busy")
    assert len(model.requests) == 5


@pytest.mark.parametrize("kind", ["bad_request", "context_too_long"])
async def test_what_cannot_succeed_is_not_tried_again(kind: FailureKind) -> None:
    clock = Clock()

    answer = await runner(FakeModel(fail_first=[ModelError(kind, "no")]), clock).send(
        make_request()
    )

    assert answer == Failure(kind, "no")
    assert clock.slept == []


@pytest.mark.parametrize("kind", ["auth", "not_found"])
async def test_what_no_request_can_survive_is_raised(kind: FailureKind) -> None:
    with pytest.raises(ModelError, match="no"):
        await runner(FakeModel(fail_first=[ModelError(kind, "no")]), Clock()).send(make_request())


async def test_a_server_that_never_answered_is_tried_less_often() -> None:
    model = FakeModel(fail_first=[ModelError("connection", "refused")] * 9)

    await runner(model, Clock()).send(make_request())

    assert len(model.requests) == 3


async def test_a_server_that_once_answered_is_tried_as_often_as_set() -> None:
    model = FakeModel()
    one = runner(model, Clock())
    await one.send(make_request())
    model._failures = iter([ModelError("connection", "reset")] * 9)

    await one.send(make_request())

    assert len(model.requests) == 1 + 5


async def test_an_attempt_that_takes_too_long_is_a_timeout() -> None:
    answer = await runner(FakeModel(latency_s=60), Clock(), timeout_s=0.001).send(make_request())

    assert answer == Failure("timeout", "no answer within 0.001 s")


@virtual_time
async def test_the_server_decides_the_shortest_wait() -> None:
    clock = Clock()
    model = FakeModel(fail_first=[ModelError("rate_limit", "slow down", retry_after_s=42.0)])

    began = asyncio.get_running_loop().time()
    await runner(model, clock).send(make_request())

    assert asyncio.get_running_loop().time() - began == pytest.approx(42.0)


def test_waits_grow_exponentially_with_full_jitter_up_to_a_ceiling() -> None:
    chance = random.Random(1)
    error = ModelError("overloaded", "busy")

    for attempt, ceiling in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (9, 10.0)):
        waits = [backoff_s(RETRY, attempt, error, chance) for _ in range(500)]
        assert max(waits) <= ceiling
        assert max(waits) > 0.9 * ceiling
        assert min(waits) < 0.1 * ceiling


async def run_local(model: FakeModel, n_requests: int, *, concurrency: int = 4) -> list[str]:
    """Answer made-up requests with the local executor; return the answers as they come."""
    answers: list[str] = []

    async def requests() -> AsyncIterator[Request]:
        for number in range(n_requests):
            yield make_request(f"question {number}")

    async def finish(request: Request, answer: Generation | Failure) -> None:
        answers.append(answer.text if isinstance(answer, Generation) else answer.message)

    async def opened() -> FakeModel:
        return await model.open("m")

    job = ExecutionRequest("fake/m", opened, concurrency, RETRY, 10.0)
    await LocalExecutor(sleep=Clock().sleep).run(job, requests(), finish)
    return answers


async def test_every_request_is_answered_once_and_the_model_is_opened_once() -> None:
    model = FakeModel(latency_s=0.001)

    answers = await run_local(model, 20)

    assert sorted(answers) == sorted(f"question {number}" for number in range(20))
    assert (model.n_opened, model.most_under_way) == (1, 4)


async def test_without_a_request_the_model_is_not_opened() -> None:
    model = FakeModel()

    assert await run_local(model, 0) == []
    assert model.n_opened == 0


async def test_a_fatal_error_ends_the_others_at_once() -> None:
    model = FakeModel(fail_first=[ModelError("not_found", "no such model")], latency_s=60)

    with pytest.raises(ModelError, match="no such model"):
        await run_local(model, 100)

    assert len(model.requests) <= 4


def test_a_quota_is_waited_for_up_to_a_minute_where_the_server_tells_no_time() -> None:
    error = ModelError("rate_limit", "slow down")

    waits = [backoff_s(RETRY, 9, error, random.Random(seed)) for seed in range(500)]

    assert 50.0 < max(waits) <= 60.0


@virtual_time
async def test_waiting_for_a_quota_is_no_attempt_and_costs_no_retry() -> None:
    """s07-429-tells-the-wait-in-its-body."""
    clock, retries = Clock(), RetryBudget(0.0)
    model = FakeModel(fail_first=[ModelError("rate_limit", "slow down")] * 40)

    async def opened() -> FakeModel:
        return model

    job = ExecutionRequest(
        "fake/m",
        opened,
        4,
        RETRY,
        10.0,
        rate_limiter=EndpointRateLimiter(FixedLimit(4), retries=retries),
    )
    answer = await RequestRunner(model, job, sleep=clock.sleep).send(make_request())

    assert isinstance(answer, Generation)
    assert len(model.requests) == 41
    assert retries.take()


@virtual_time
async def test_a_request_that_is_refused_for_ever_fails() -> None:
    model = FakeModel(fail_first=[ModelError("rate_limit", "slow down")] * 1000)

    answer = await runner(model, Clock()).send(make_request())

    assert answer == Failure("rate_limit", "slow down")
    assert len(model.requests) == 60


async def test_one_attempt_is_one_attempt() -> None:
    clock = Clock()
    model = FakeModel(fail_first=[ModelError("overloaded", "busy")])

    async def opened() -> FakeModel:
        return model

    once = RetryConfig(max_attempts=1)
    asking = RequestRunner(
        model, ExecutionRequest("fake/m", opened, 4, once, 10.0), sleep=clock.sleep
    )

    assert await asking.send(make_request()) == Failure("overloaded", "busy")
    assert clock.slept == []
