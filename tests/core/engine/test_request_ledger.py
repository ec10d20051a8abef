"""An equal request is asked once, whoever wants it and in whatever order; and nothing hangs."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval_core.contracts import ModelInfo
from llmeval_core.engine import request_ledger
from llmeval_core.engine.request_ledger import LedgerView, Ours, RequestLedger
from llmeval_core.records import Generation
from llmeval_core.testing import FakeDataset, FakeMetric, FakeModel, run_in

ANSWER = Generation(("an answer",))


class Served(FakeModel):
    """A model behind a server: its tasks go side by side."""

    def describe(self, model: str) -> ModelInfo:
        return replace(super().describe(model), endpoint="a server")


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_tasks_that_ask_the_same_in_another_order_ask_it_once(
    tmp_path: Path, concurrency: int
) -> None:
    """e1-equal-requests-asked-twice."""
    model = Served(latency_s=0.002)
    forwards = FakeDataset(200)
    backwards = FakeDataset(list(reversed(list(forwards.samples()))), name="backwards")

    outcome = await run_in(
        tmp_path,
        models={"fake": model},
        datasets={"fake": forwards, "backwards": backwards},
        metrics={"one": FakeMetric()},
        concurrency=concurrency,
    )

    assert len(model.requests) == 200
    assert [result.n_samples for result in outcome.summary.results] == [200, 200]
    assert outcome.errors == ()


class World:
    """Tasks and services that want answers, a journal that is slow, a model that may fail."""

    def __init__(self, seed: int, *, n_keys: int, failing: float, closing: float) -> None:
        self.chance = random.Random(seed)
        self.keys = [f"{number:032x}" for number in range(n_keys)]
        self.failing = failing
        self.closing = closing
        self.given: list[str] = []
        self.n_committed = 0
        self.ledger = RequestLedger(lambda: len(self.given), lambda: self.n_committed)
        self.n_asked: dict[str, int] = {}
        self.n_failed: dict[str, int] = {}
        self.under_way: set[str] = set()

    def stored(self) -> set[str]:
        return set(self.given[: self.n_committed])

    async def commit(self) -> None:
        while True:
            await asyncio.sleep(0)
            if self.chance.random() < 0.1:
                self.n_committed = self.chance.randint(self.n_committed, len(self.given))

    async def task(self) -> int:
        """Want all keys in some order, in batches that are looked up first."""
        wanted = self.keys * 2
        self.chance.shuffle(wanted)
        n_ended = 0
        with self.ledger.view(looks_first=True) as view:
            while wanted:
                batch, wanted = wanted[:7], wanted[7:]
                n_committed = self.n_committed
                known = self.stored()
                await self.pause()
                view.saw(n_committed)
                unknown = [key for key in batch if key not in known]
                n_ended += len(batch) - len(unknown)
                for key in unknown:
                    if self.chance.random() < self.closing:
                        return n_ended
                    n_ended += await self.want(view, key)
        return n_ended

    async def service(self) -> int:
        """Want keys one by one."""
        n_ended = 0
        with self.ledger.view(looks_first=False) as view:
            for key in self.chance.sample(self.keys, len(self.keys)):
                if self.chance.random() < self.closing:
                    return n_ended
                n_ended += await self.want(view, key)
        return n_ended

    async def want(self, view: LedgerView, key: str) -> int:
        """Get one answer, as those do who use a ledger; 0 if the model failed."""
        claim = view.claim(key)
        while isinstance(claim, asyncio.Future):
            answer = await claim
            claim = answer if answer is not None else view.claim(key)
        if isinstance(claim, Generation):
            return 1
        if claim is Ours.TO_LOOK_UP:
            await self.pause()
            if key in self.stored():
                view.resolve(key, ANSWER, is_new=False)
                return 1
        return await self.ask(view, key)

    async def ask(self, view: LedgerView, key: str) -> int:
        assert key not in self.under_way, "asked twice at the same time"
        self.under_way.add(key)
        self.n_asked[key] = self.n_asked.get(key, 0) + 1
        await self.pause()
        self.under_way.remove(key)
        if self.chance.random() < self.failing:
            self.n_failed[key] = self.n_failed.get(key, 0) + 1
            view.release(key)
            return 0
        self.given.append(key)
        view.resolve(key, ANSWER)
        return 1

    async def pause(self) -> None:
        for _ in range(self.chance.randint(0, 5)):
            await asyncio.sleep(0)

    async def run(self, n_tasks: int, n_services: int) -> list[int]:
        committing = asyncio.create_task(self.commit())
        ways = [*[self.task] * n_tasks, *[self.service] * n_services]
        async with asyncio.timeout(30):
            ended = await asyncio.gather(*[way() for way in ways])
        committing.cancel()
        return ended


@pytest.mark.parametrize("most_stored", [20_000, 3])
@given(
    seed=st.integers(0, 2**32),
    n_tasks=st.integers(0, 4),
    n_services=st.integers(0, 3),
    failing=st.sampled_from([0.0, 0.2]),
    closing=st.sampled_from([0.0, 0.02]),
)
@settings(max_examples=60, deadline=None)
def test_nothing_is_asked_twice_and_nothing_hangs(
    *, most_stored: int, seed: int, n_tasks: int, n_services: int, failing: float, closing: float
) -> None:
    world = World(seed, n_keys=40, failing=failing, closing=closing)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_ledger, "MAX_STORED", most_stored)
        patch.setattr(request_ledger, "_FORGET_EVERY", 4)
        ended = asyncio.run(world.run(n_tasks, n_services))

    assert {key: 1 + world.n_failed.get(key, 0) for key in world.given} == {
        key: n for key, n in world.n_asked.items() if key in world.given
    }
    if not failing and not closing:
        assert ended == [80] * n_tasks + [40] * n_services
        assert len(world.given) == (40 if n_tasks + n_services else 0)


async def test_the_end_of_a_view_releases_its_claims() -> None:
    ledger = RequestLedger(lambda: 0, lambda: 0)
    view, other = ledger.view(looks_first=False), ledger.view(looks_first=False)
    assert view.claim("a") is Ours.TO_LOOK_UP
    waiting = other.claim("a")
    assert isinstance(waiting, asyncio.Future)

    view.close()

    assert await waiting is None
    assert other.claim("a") is Ours.TO_LOOK_UP


async def test_an_answer_is_remembered_until_it_is_stored_and_every_task_has_looked() -> None:
    n_given = n_committed = 0
    ledger = RequestLedger(lambda: n_given, lambda: n_committed)
    one, other = ledger.view(looks_first=True), ledger.view(looks_first=True)
    assert one.claim("a") is Ours.TO_ASK
    n_given = 1
    one.resolve("a", ANSWER)
    assert other.claim("a") == ANSWER

    n_committed = 1
    one.saw(1)
    assert other.claim("a") is Ours.TO_LOOK_UP
    other.resolve("a", ANSWER, is_new=False)
    other.saw(1)

    assert ledger.n_remembered == 0
