"""How many requests a run lets out at once, for models in process and behind a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.contracts import ExecutionRequest, ModelInfo
from llmeval_core.engine.rate_limiters import max_in_flight, max_served
from llmeval_core.errors import ModelError
from llmeval_core.generation import LocalExecutor
from llmeval_core.records import Failure, Generation, Request
from llmeval_core.testing import FakeDataset, FakeModel, run_in
from llmeval_core.testing.running import plan_of


class Serving(FakeModel):
    """Tells how many requests it serves, and answers none before so many are there."""

    def __init__(self, n_served: int | None, *, endpoint: str | None = None, n: int = 0) -> None:
        super().__init__(latency_s=0.02)
        self._told = (n_served, endpoint)
        self._n_left = n
        self._all_there = asyncio.Event()

    def describe(self, model: str) -> ModelInfo:
        n_served, endpoint = self._told
        return replace(super().describe(model), max_concurrency=n_served, endpoint=endpoint)

    async def generate(self, request: Request) -> Generation:
        self._n_left -= 1
        if self._n_left <= 0:
            self._all_there.set()
        async with asyncio.timeout(5):
            await self._all_there.wait()
        return await super().generate(request)


class Copying(LocalExecutor):
    """Stands for one with copies elsewhere."""

    n_replicas = 3

    async def run(
        self,
        job: ExecutionRequest,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        self.concurrency = job.concurrency
        await super().run(job, requests, finish)


class Hoarding(Copying):
    """Lets requests wait in its copies."""

    prefetch_per_replica = 16


@pytest.mark.parametrize(
    ("executor", "endpoint", "config", "most"),
    [
        (None, None, {}, 4),
        (Copying(), None, {}, 12),
        (Hoarding(), None, {}, 60),
        (Hoarding(), None, {"concurrency": 5}, 5),
        (Hoarding(), None, {"max_concurrency": 20}, 20),
        (Hoarding(), "a server", {}, 4),
    ],
)
async def test_all_that_may_go_goes_at_once(
    executor: LocalExecutor | None,
    endpoint: str | None,
    config: dict[str, Any],
    most: int,
    tmp_path: Path,
) -> None:
    model = Serving(4, endpoint=endpoint, n=most)

    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(100)},
        models={"m": model},
        executors={"e": executor} if executor else {},
        executor="e" if executor else None,
        **config,
    )

    assert outcome.summary.n_failed == 0
    assert model.most_under_way == most
    assert getattr(executor, "concurrency", most) == most


def test_what_waits_in_copies_is_not_served_at_once() -> None:
    plan = plan_of(models={"m": Serving(4)}, executors={"e": Hoarding()}, executor="e")
    (evaluation,) = plan.evaluations

    assert max_served(plan, [evaluation.model]) == 12
    assert max_in_flight(plan, [evaluation.model]) == 60


def test_nothing_waits_in_copies_while_a_samples_time_runs() -> None:
    models, executors = {"m": Serving(4)}, {"e": Hoarding()}
    timeouts = {"sample_s": 5}
    plan = plan_of(models=models, executors=executors, executor="e", timeouts=timeouts)
    (evaluation,) = plan.evaluations

    assert max_in_flight(plan, [evaluation.model]) == 12


async def test_a_model_in_process_that_tells_no_number_is_found_out_about(tmp_path: Path) -> None:
    model = Serving(None, n=8)

    await run_in(tmp_path, datasets={"d": FakeDataset(8)}, models={"m": model}, max_concurrency=64)

    assert model.most_under_way == 8


async def test_a_model_in_process_that_is_overloaded_gets_less_until_it_recovers(
    tmp_path: Path,
) -> None:
    class Overloaded(Serving):
        n_refusals = 40

        async def generate(self, request: Request) -> Generation:
            if self.n_refusals:
                self.n_refusals -= 1
                raise ModelError("overloaded", "too much")
            seen.append(self._under_way + 1)
            return await super().generate(request)

    seen: list[int] = []

    outcome = await run_in(
        tmp_path,
        datasets={"d": FakeDataset(200)},
        models={"m": Overloaded(10)},
        retry={"base_s": 0.001, "max_attempts": 100},
    )

    assert outcome.summary.n_failed == 0
    assert max(seen[:13]) <= 7
    assert max(seen) == 10
