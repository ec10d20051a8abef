"""So much a minute, in any minute."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.pacing import TokenBucket


def uses(
    quota: TokenBucket, amounts: list[float], pauses: list[float]
) -> list[tuple[float, float]]:
    """Use amounts as early as allowed, with pauses between; return when and how much."""
    now, found = 0.0, []
    for amount, pause in zip(amounts, pauses, strict=True):
        now += pause
        now += quota.wait_s(amount, now)
        quota.use(amount, now)
        found.append((now, amount))
    return found


def most_in_a_minute(found: list[tuple[float, float]]) -> float:
    return max(
        sum(amount for moment, amount in found if start <= moment < start + 60)
        for start, _ in found
    )


@given(
    per_minute=st.integers(10, 5000),
    steps=st.lists(
        st.tuples(st.floats(0.01, 1), st.sampled_from([0.0, 0.0, 0.5, 30.0, 200.0])),
        min_size=1,
        max_size=200,
    ),
)
def test_no_window_of_sixty_seconds_sees_more_than_the_quota(
    per_minute: int, steps: list[tuple[float, float]]
) -> None:
    amounts = [part * per_minute * 0.1 for part, _ in steps]

    found = uses(TokenBucket(per_minute, 0.0), amounts, [pause for _, pause in steps])

    assert most_in_a_minute(found) <= per_minute * (1 + 1e-6)


@pytest.mark.parametrize("per_minute", [6, 60, 6000])
def test_the_whole_quota_can_be_used(per_minute: int) -> None:
    found = uses(TokenBucket(per_minute, 0.0), [1.0] * (per_minute * 10), [0.0] * (per_minute * 10))

    assert found[-1][0] <= 60 * 10 / 0.8


def test_more_than_fits_at_once_waits_for_a_full_bucket_and_delays_what_follows() -> None:
    quota = TokenBucket(600, 0.0)

    quota.use(300, 0.0)

    assert quota.wait_s(1, 0.0) == pytest.approx((300 - 60 + 1) / 9)


def test_what_was_not_needed_is_given_back() -> None:
    quota = TokenBucket(600, 0.0)
    quota.use(60, 0.0)

    quota.use(-60, 0.0)

    assert quota.wait_s(60, 0.0) == 0.0


def test_a_clock_set_back_gives_nothing_and_takes_nothing() -> None:
    quota = TokenBucket(600, 1000.0)
    quota.use(60, 1000.0)

    waits = [quota.wait_s(9, moment) for moment in (1000.0, 500.0, 1000.0, 1001.0)]

    assert waits == pytest.approx([1.0, 1.0, 1.0, 0.0])
    assert list(itertools.accumulate(waits))[-1] == pytest.approx(3.0)
