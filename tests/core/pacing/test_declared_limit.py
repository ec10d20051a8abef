"""The limit of a model that declares how much it serves."""

from __future__ import annotations

import pytest

from llmeval_core.pacing.declared_limit import DeclaredLimit


def refuse(limit: DeclaredLimit, n: int, *, at: float) -> None:
    for _ in range(n):
        limit.overloaded(at)


def answer(limit: DeclaredLimit, n: int, *, at: float) -> None:
    for _ in range(n):
        limit.answered(at, latency_s=0.1, n_under_way=limit.limit)


def test_all_may_go_from_the_start_and_slow_answers_change_nothing() -> None:
    limit = DeclaredLimit(n_served=4, max_limit=20)

    for second in range(1, 1000):
        limit.answered(second, latency_s=second, n_under_way=20)

    assert limit.limit == 20


def test_single_refusals_change_nothing() -> None:
    limit = DeclaredLimit(n_served=4, max_limit=20)

    for second in range(500):
        answer(limit, 9, at=second)
        refuse(limit, 1, at=second)

    assert limit.limit == 20


def test_a_model_that_refuses_much_gets_less_than_it_said_once_an_episode() -> None:
    limit = DeclaredLimit(n_served=10, max_limit=50)

    refuse(limit, 100, at=1.0)
    first = limit.limit
    refuse(limit, 100, at=9.0)

    assert first == 7
    assert limit.limit == 4


def test_at_least_one_may_go() -> None:
    limit = DeclaredLimit(n_served=2, max_limit=3)

    for second in range(0, 100, 5):
        refuse(limit, 50, at=second)

    assert limit.limit == 1


def test_each_copy_keeps_one() -> None:
    limit = DeclaredLimit(n_served=64, max_limit=256, min_limit=16)

    for second in range(0, 100, 5):
        refuse(limit, 50, at=second)

    assert limit.limit == 16


def test_refusals_within_the_time_of_an_answer_are_one_episode() -> None:
    limit = DeclaredLimit(n_served=100, max_limit=100)
    limit.answered(0.0, latency_s=20.0, n_under_way=100)

    for second in range(1, 20):
        refuse(limit, 10, at=second)

    assert limit.limit == 70


def test_most_of_what_was_refused_is_soon_tried_again() -> None:
    limit = DeclaredLimit(n_served=200, max_limit=200)
    for second in range(0, 15, 5):
        refuse(limit, 100, at=second)
    refused = limit.limit

    answer(limit, 5 * refused, at=20.0)

    assert refused == 68
    assert limit.limit >= 130


@pytest.mark.parametrize(("n_served", "most"), [(1, 1), (1, 17), (10, 10), (10, 50), (10, 3)])
def test_a_model_that_recovers_gets_all_again(n_served: int, most: int) -> None:
    limit = DeclaredLimit(n_served=n_served, max_limit=most)

    refuse(limit, 100, at=1.0)
    refused = limit.limit
    answer(limit, 100, at=2.0)

    assert refused <= min(n_served, most)
    assert limit.limit == most
