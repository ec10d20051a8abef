"""Conversations, judges and plain tasks side by side, with failures and stops: nothing hangs."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval_core.contracts import ModelInfo
from llmeval_core.errors import ModelError
from llmeval_core.records import Generation, Request
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, run_in
from tests.core.engine.test_items import Chatting, values


class Moody(FakeModel):
    """Fails now and then, by chance, and stops the run once if it is told to."""

    def __init__(self, chance: random.Random, failing: float, endpoint: str | None) -> None:
        super().__init__()
        self._chance = chance
        self._failing = failing
        self._endpoint = endpoint
        self.stop: asyncio.Event | None = None
        self.stops_at = 10**9

    def describe(self, model: str) -> ModelInfo:
        return replace(super().describe(model), endpoint=self._endpoint)

    async def generate(self, request: Request) -> Generation:
        if self.stop is not None and len(self.requests) >= self.stops_at:
            self.stop.set()
        if self._chance.random() < self._failing:
            kind = self._chance.choice(["bad_request", "overloaded", "timeout"])
            raise ModelError(kind, "no")  # type: ignore[arg-type]
        for _ in range(self._chance.randint(0, 3)):
            await asyncio.sleep(0)
        return await super().generate(request)


GIVEN: dict[str, Any] = {
    "ready_tasks": {
        "chatting": Chatting(n_items=25, judge=True),
        "other": Chatting(n_items=25, n_turns=2, judge=True, name="other"),
    },
    "datasets": {"fake": FakeDataset(25)},
    "metrics": {"fake": FakeMetric()},
    "retry": {"base_s": 0.001, "max_s": 0.002, "max_attempts": 3},
    "give_up_after": 10_000,
}


async def run_with_moods(
    seed: int, *, failing: float, endpoints: tuple[str | None, str | None], concurrency: int
) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        for attempt in range(50):
            stop = asyncio.Event()
            model = Moody(chance, failing, endpoints[0])
            judge = Moody(chance, failing, endpoints[1])
            if attempt < 2:
                model.stop = judge.stop = stop
                model.stops_at = chance.randint(0, 60)
            async with asyncio.timeout(30):
                outcome = await run_in(
                    Path(folder),
                    models={"fake": model},
                    role_models={"judge": judge},
                    stop=stop,
                    concurrency=concurrency,
                    **GIVEN,
                )
            if outcome.summary.n_unfinished == 0 and outcome.summary.n_failed == 0:
                break
            failing /= 1.5
        with tempfile.TemporaryDirectory() as fresh:
            expected = await run_in(
                Path(fresh),
                models={"fake": FakeModel()},
                role_models={"judge": FakeModel()},
                **GIVEN,
            )
    assert outcome.errors == ()
    assert values(outcome) == values(expected)


@given(
    seed=st.integers(0, 2**32),
    failing=st.sampled_from([0.0, 0.1, 0.4]),
    endpoints=st.sampled_from([("a", "b"), ("a", "a"), (None, "b"), ("a", None), (None, None)]),
    concurrency=st.sampled_from([1, 2, 7]),
)
@settings(max_examples=15, deadline=None)
def test_it_always_ends_with_the_right_numbers(
    seed: int,
    failing: float,
    endpoints: tuple[str | None, str | None],
    concurrency: int,
) -> None:
    asyncio.run(run_with_moods(seed, failing=failing, endpoints=endpoints, concurrency=concurrency))
