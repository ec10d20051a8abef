"""The limit that finds itself: on simulated servers, with a simulated clock."""

from __future__ import annotations

import heapq
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.pacing import AdaptiveLimit


class SimulatedServer:
    """Serves `n_slots` requests at once, each in `service_s`; more wait in its queue.

    Args:
        refuses_above: requests at once that it refuses beyond; None for none.
        spread: sigma of the log-normal distribution of service times; 0 for none.
    """

    def __init__(
        self,
        *,
        n_slots: int,
        service_s: float,
        refuses_above: int | None = None,
        spread: float = 0.0,
    ) -> None:
        self._chance = random.Random(1)
        self._spread = spread
        self.n_slots = n_slots
        self.service_s = service_s
        self.refuses_above = refuses_above
        self.n_refused = 0
        self.n_answered = 0

    def drive(self, limit: AdaptiveLimit, *, duration_s: float) -> list[tuple[float, int]]:
        """Ask as fast as the limit allows; return the limit over time."""
        now, end = 0.0, duration_s
        free_at = [0.0] * self.n_slots
        heapq.heapify(free_at)
        under_way: list[tuple[float, float]] = []
        history = []
        while now < end:
            while len(under_way) < limit.limit:
                if self.refuses_above is not None and len(under_way) >= self.refuses_above:
                    self.n_refused += 1
                    limit.overloaded(now)
                    break
                begins = max(now, heapq.heappop(free_at))
                ends = begins + self.service_s * self._chance.lognormvariate(0, self._spread)
                heapq.heappush(free_at, ends)
                heapq.heappush(under_way, (ends, now))
            now, asked_at = heapq.heappop(under_way)
            self.n_answered += 1
            limit.answered(now, latency_s=now - asked_at, n_under_way=len(under_way) + 1)
            history.append((now, limit.limit))
        return history


@pytest.mark.parametrize("n_slots", [16, 64, 200])
def test_it_grows_to_what_the_server_can_do_and_not_far_beyond(n_slots: int) -> None:
    server = SimulatedServer(n_slots=n_slots, service_s=0.5)

    history = server.drive(AdaptiveLimit(max_limit=1024), duration_s=120)

    settled = [limit for moment, limit in history if moment > 30]
    assert min(settled) >= n_slots * 0.8
    assert max(settled) <= n_slots * 1.3


def test_it_finds_the_limit_among_answers_of_very_different_lengths() -> None:
    server = SimulatedServer(n_slots=64, service_s=1.0, spread=0.8)

    history = server.drive(AdaptiveLimit(max_limit=1024), duration_s=900)

    settled = sorted(limit for moment, limit in history if moment > 120)
    assert 55 <= settled[len(settled) // 2] <= 100
    assert settled[-1] <= 180


def test_it_is_nearly_as_fast_as_the_best_fixed_limit() -> None:
    server = SimulatedServer(n_slots=100, service_s=1.0)

    server.drive(AdaptiveLimit(max_limit=1024), duration_s=300)

    assert server.n_answered >= 0.9 * 300 * 100


def test_it_never_exceeds_what_is_set() -> None:
    server = SimulatedServer(n_slots=1000, service_s=0.1)

    history = server.drive(AdaptiveLimit(max_limit=48), duration_s=60)

    assert max(limit for _, limit in history) == 48


def test_a_server_that_refuses_is_refused_to_only_now_and_then() -> None:
    server = SimulatedServer(n_slots=1000, service_s=0.2, refuses_above=40)

    history = server.drive(AdaptiveLimit(max_limit=512), duration_s=300)

    settled = [limit for moment, limit in history if moment > 60]
    assert server.n_refused < server.n_answered * 0.01
    assert sum(settled) / len(settled) > 20


def test_a_server_that_fails_now_and_then_by_chance_keeps_its_share() -> None:
    limit, chance = AdaptiveLimit(max_limit=64, start=64), random.Random(3)

    for number in range(20_000):
        if chance.random() < 0.04:
            limit.overloaded(number * 0.01)
        else:
            limit.answered(number * 0.01, latency_s=0.64, n_under_way=64)

    assert limit.limit >= 40


def test_refusals_of_one_episode_count_once() -> None:
    limit = AdaptiveLimit(max_limit=100, start=100)

    for _ in range(50):
        limit.overloaded(10.0)

    assert limit.limit == 50


@given(
    events=st.lists(st.tuples(st.booleans(), st.floats(0, 100), st.integers(1, 600)), max_size=500),
    most=st.integers(1, 500),
)
def test_whatever_happens_the_limit_stays_between_one_and_the_most(
    events: list[tuple[bool, float, int]], most: int
) -> None:
    limit = AdaptiveLimit(max_limit=most)

    for is_answer, now, n_under_way in events:
        if is_answer:
            limit.answered(now, latency_s=1.0, n_under_way=n_under_way)
        else:
            limit.overloaded(now)
        assert 1 <= limit.limit <= most
