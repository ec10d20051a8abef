"""The circuit breaker, at times of the tests' own."""

from __future__ import annotations

from llmeval_core.delivery.delivery_worker import PAUSES, SETTLED_S
from llmeval_core.support import Backoff, CircuitBreaker

NOW = 1000.0


def failed_probe(
    circuit: CircuitBreaker, now: float, *, told_s: float | None = None
) -> float | None:
    circuit.sent()
    circuit.failed(now, told_s=told_s)
    return circuit.wait_s(now)


def test_nothing_that_failed_needs_no_pause() -> None:
    circuit = CircuitBreaker(PAUSES)

    assert circuit.state == "closed"
    assert circuit.since is None
    assert circuit.wait_s(NOW) == 0
    assert circuit.may_probe_early(NOW, after_s=SETTLED_S)


def test_each_failure_doubles_the_pause_of_a_tracker_up_to_five_minutes() -> None:
    circuit = CircuitBreaker(PAUSES)

    pauses = [failed_probe(circuit, NOW + 600 * n) for n in range(6)]

    assert pauses == [30, 60, 120, 240, 300, 300]


def test_a_pause_ends_with_time() -> None:
    circuit = CircuitBreaker(PAUSES)
    circuit.failed(NOW)

    assert circuit.wait_s(NOW + 29) == 1
    assert circuit.wait_s(NOW + 30) == 0
    assert circuit.state == "open"


def test_a_success_forgets_the_failures() -> None:
    circuit = CircuitBreaker(PAUSES)
    failed_probe(circuit, NOW)
    failed_probe(circuit, NOW, told_s=500)

    was_down = circuit.succeeded()

    assert was_down
    assert circuit.state == "closed"
    assert circuit.since is None
    assert circuit.may_probe_early(NOW, after_s=SETTLED_S)
    assert failed_probe(circuit, NOW) == 30


def test_what_the_server_asks_for_holds_also_for_the_last_attempt() -> None:
    circuit = CircuitBreaker(PAUSES)
    circuit.failed(NOW, told_s=90)

    assert circuit.wait_s(NOW) == 90
    assert not circuit.may_probe_early(NOW + 60, after_s=SETTLED_S)
    assert circuit.may_probe_early(NOW + 90, after_s=SETTLED_S)


def test_a_failure_of_this_very_moment_needs_no_last_attempt() -> None:
    circuit = CircuitBreaker(PAUSES)
    circuit.failed(NOW)

    assert not circuit.may_probe_early(NOW, after_s=SETTLED_S)
    assert circuit.may_probe_early(NOW + SETTLED_S, after_s=SETTLED_S)


def test_it_opens_after_a_row_of_failures_and_an_answer_breaks_the_row() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0), opens_after=3)
    circuit.failed(NOW, "a")
    circuit.failed(NOW, "b")
    circuit.succeeded()

    opened = [circuit.failed(NOW + n, f"failure {n}") for n in range(3)]

    assert opened == [False, False, True]
    assert (circuit.since, circuit.reason) == (NOW + 2, "failure 2")


def test_who_never_answered_is_not_down_if_a_first_success_is_needed() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0), needs_success=True)

    assert not circuit.failed(NOW)
    assert circuit.since is None
    circuit.succeeded()
    assert circuit.failed(NOW)


def test_while_the_probe_is_under_way_all_others_wait() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0))
    circuit.failed(NOW)
    circuit.sent()

    assert circuit.state == "half-open"
    assert circuit.wait_s(NOW + 100) is None


def test_what_was_sent_before_it_opened_does_not_make_the_pause_longer() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0))
    circuit.failed(NOW)

    circuit.failed(NOW + 0.5, "late")

    assert circuit.wait_s(NOW + 0.5) == 0.5
    assert (circuit.since, circuit.reason) == (NOW, "late")


def test_a_cancelled_probe_says_nothing_and_the_next_may_follow_at_once() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0))
    circuit.failed(NOW)
    circuit.sent()

    circuit.cancelled(NOW + 1)

    assert circuit.state == "open"
    assert circuit.wait_s(NOW + 1) == 0
    assert failed_probe(circuit, NOW + 1) == 2


def test_a_cancelled_request_changes_nothing_while_it_is_closed() -> None:
    circuit = CircuitBreaker(Backoff(1.0, 30.0))

    circuit.sent()
    circuit.cancelled(NOW)

    assert circuit.state == "closed"
