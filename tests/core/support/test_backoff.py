"""How long to wait before the next attempt."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.support import Backoff


def test_each_wait_is_longer_by_the_factor_up_to_the_longest() -> None:
    waits = [Backoff(0.5, 20.0, factor=4).wait_s(n) for n in range(1, 6)]

    assert waits == [0.5, 2.0, 8.0, 20.0, 20.0]


def test_without_a_failure_there_is_no_wait() -> None:
    assert Backoff(1.0, 30.0).wait_s(0) == 0
    assert Backoff(1.0, 30.0).wait_s(0, told_s=7) == 7


@pytest.mark.parametrize(("told_s", "expected"), [(None, 2.0), (0.0, 2.0), (1.5, 2.0), (90, 90)])
def test_what_the_other_side_asks_for_is_the_least(told_s: float | None, expected: float) -> None:
    assert Backoff(1.0, 30.0).wait_s(2, told_s=told_s) == expected


def test_full_jitter_is_anything_up_to_the_wait() -> None:
    backoff = Backoff(1.0, 8.0, spread=(0, 1))
    chance = random.Random(1)

    waits = [backoff.wait_s(9, chance=chance) for _ in range(1000)]

    assert 0 <= min(waits) < 0.1
    assert 7.9 < max(waits) <= 8.0


def test_the_same_chance_gives_the_same_wait() -> None:
    backoff = Backoff(0.1, math.inf, factor=4, spread=(0.5, 1.5))

    assert backoff.wait_s(3, chance=random.Random(7)) == backoff.wait_s(3, chance=random.Random(7))


def test_without_a_longest_wait_very_many_failures_are_still_a_number() -> None:
    assert math.isfinite(Backoff(1.0, math.inf).wait_s(100_000))


@given(st.integers(1, 10_000), st.floats(0.01, 100), st.floats(0.01, 1000), st.floats(0, 500))
def test_a_wait_lies_within_its_bounds(
    n_failures: int, first_s: float, longest_s: float, told_s: float
) -> None:
    wait_s = Backoff(first_s, longest_s, spread=(0.5, 1.0)).wait_s(n_failures, told_s=told_s)

    assert told_s <= wait_s <= max(longest_s, told_s)
