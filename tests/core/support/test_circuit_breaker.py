"""The circuit breaker of deliveries, on a clock of the tests' own."""

from __future__ import annotations

from llmeval_core.delivery.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_nothing_that_failed_needs_no_pause() -> None:
    breaker = Breaker(Clock())

    assert breaker.pause_s() is None
    assert breaker.may_try_last()


def test_each_failure_doubles_the_pause_up_to_five_minutes() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    pauses = []
    for _ in range(6):
        breaker.failed(retry_after_s=None)
        pauses.append(breaker.pause_s())
        clock.now += 600

    assert pauses == [30, 60, 120, 240, 300, 300]


def test_a_pause_ends_with_time() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(retry_after_s=None)

    clock.now += 30

    assert breaker.pause_s() == 0


def test_a_success_forgets_the_failures() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(retry_after_s=None)
    breaker.failed(retry_after_s=500)
    breaker.succeeded()

    assert breaker.pause_s() is None
    assert breaker.may_try_last()
    breaker.failed(retry_after_s=None)
    assert breaker.pause_s() == 30


def test_what_the_server_asks_for_holds_also_for_the_last_attempt() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(retry_after_s=90)

    assert breaker.pause_s() == 90
    clock.now += 89
    assert not breaker.may_try_last()
    clock.now += 1
    assert breaker.may_try_last()


def test_right_after_a_failure_a_last_attempt_makes_no_sense() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed(retry_after_s=None)

    assert not breaker.may_try_last()
    clock.now += 1
    assert breaker.may_try_last()
