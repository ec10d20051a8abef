"""How much goes at once and in all, on several workers as on one."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from llmeval_ray_executor.executor import MAX_PREFETCH, RayExecutor
from llmeval_ray_executor.settings import RaySettings

from llmeval_core.hooks import ExecutionRequest, Failure, Generation, Request
from plugins.executors.ray_executor.tests.conftest import RunOnRay
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


@pytest.mark.parametrize(
    ("latency_s", "most"), [(0.01, 3 * (4 + MAX_PREFETCH)), (2.0, 3 * (4 + 1))]
)
async def test_no_more_is_pulled_than_can_soon_be_worked_on(
    run_on_ray: RunOnRay, folder: Path, latency_s: float, most: int
) -> None:
    class CountingExecutor(RayExecutor):
        under_way = most = 0

        async def run(
            self,
            job: ExecutionRequest,
            requests: AsyncIterator[Request],
            finish: Callable[[Request, Generation | Failure], Awaitable[None]],
        ) -> None:
            async def counted() -> AsyncIterator[Request]:
                async for request in requests:
                    self.under_way += 1
                    self.most = max(self.most, self.under_way)
                    yield request

            async def finished(request: Request, answer: Generation | Failure) -> None:
                self.under_way -= 1
                await finish(request, answer)

            await super().run(job, counted(), finished)

    executor = CountingExecutor(RaySettings(actors=3, concurrency_per_actor=4))

    await run_on_ray(
        RecordingProvider(folder, latency_s=latency_s, n_together=3), 40, executor=executor
    )

    assert executor.under_way == 0
    assert 12 <= executor.most <= most


async def test_each_copy_in_a_worker_gets_as_much_as_it_can_serve(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.2, max_concurrency=2, n_together=2)

    await run_on_ray(model, 40, settings=RaySettings(actors=2))

    assert most_at_once(model.spans()) == 4


async def test_a_fixed_concurrency_holds_for_all_workers_together(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.05, n_together=3)

    settings = RaySettings(actors=3, concurrency_per_actor=4)
    await run_on_ray(model, 60, concurrency=3, settings=settings)

    assert most_at_once(model.spans()) == 3
    assert len(model.processes("asked")) == 3


async def test_a_quota_holds_for_all_workers_together(run_on_ray: RunOnRay, folder: Path) -> None:
    model = RecordingProvider(folder)

    outcome = await run_on_ray(model, 90, limits={"requests_per_minute": 600})

    began = [began for began, _ in model.spans()]
    assert outcome.summary.n_requests == 90
    # 60 at once, which is a tenth of the quota, and then 9 a second; a message may be late.
    assert began[-1] - began[0] > 30 / 9 - 1


async def test_a_budget_ends_the_run_and_its_workers(run_on_ray: RunOnRay, folder: Path) -> None:
    model = RecordingProvider(folder, latency_s=0.05)

    outcome = await run_on_ray(model, 400, budget={"tokens": 100}, concurrency=4)

    assert "budget" in outcome.errors[0].what
    assert 25 <= outcome.summary.n_requests <= 25 + 4  # an answer has four tokens
    assert model.processes("closed") == model.processes("opened")


async def test_a_time_limit_ends_the_run_and_its_workers(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, stuck="question 2")

    outcome = await run_on_ray(model, 20, timeouts={"run_s": 12})

    (result,) = outcome.summary.results
    assert (result.n_samples, result.n_failed) == (20, 1)
    assert model.processes("closed") == model.processes("opened")


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """Count how many answers were under way together at most."""
    changes = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
    return max(itertools.accumulate(change for _, change in changes))
