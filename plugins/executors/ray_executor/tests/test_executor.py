"""Runs on Ray: the same numbers as at home, each request once, errors as at home."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from llmeval_ray_executor.executor import RayExecutor
from llmeval_ray_executor.settings import RaySettings

from llmeval_core.testing import FakeDataset, FakeModel, run_in
from plugins.executors.ray_executor.tests.conftest import RunOnRay, until
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


async def test_a_run_on_ray_ends_in_the_same_numbers_as_at_home(
    run_on_ray: RunOnRay, folder: Path, tmp_path: Path
) -> None:
    model = RecordingProvider(folder, refused="question 7", latency_s=0.005)
    at_home = await run_in(
        tmp_path / "here", datasets={"fake": FakeDataset(300)}, models={"fake": model}
    )
    n_at_home = len(model.lines("asked"))

    outcome = await run_on_ray(model, 300)

    one, other = outcome.summary.results[0], at_home.summary.results[0]
    assert one.metrics == other.metrics
    assert (one.n_samples, one.n_failed) == (other.n_samples, other.n_failed) == (300, 11)
    assert one.n_prompt_tokens == other.n_prompt_tokens
    assert outcome.summary.n_requests == 300
    assert set(model.lines("asked").values()) == {2}
    assert n_at_home == 300


async def test_each_worker_opens_one_copy_for_all_tasks_and_closes_it(
    ray_here: Any, folder: Path, tmp_path: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.01, n_together=2)

    outcome = await run_in(
        tmp_path / "home",
        datasets={"one": FakeDataset(100, name="one"), "two": FakeDataset(90, name="two")},
        models={"fake": model},
        executors={"ray": RayExecutor(RaySettings(actors=2))},
        executor="ray",
    )

    assert [result.n_samples for result in outcome.summary.results] == [100, 90]
    assert model.lines("opened") == {"model": 2}
    assert model.processes("asked") == model.processes("opened") == model.processes("closed")


async def test_answered_requests_are_not_asked_again_and_no_worker_starts(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder)
    await run_on_ray(model, limit=20)
    n_opened = model.lines("opened")["model"]

    again = await run_on_ray(model, limit=20)

    assert again.summary.n_requests == 0
    assert model.lines("opened")["model"] == n_opened


async def test_a_passing_error_is_tried_again(run_on_ray: RunOnRay, folder: Path) -> None:
    model = RecordingProvider(folder, refused="question", refuse="overloaded", n_refusals=5)

    outcome = await run_on_ray(model)

    assert outcome.summary.n_failed == 0
    assert outcome.summary.n_requests == 60
    assert 60 < model.lines("asked").total() <= 60 + 2 * 5


async def test_a_refused_key_stops_the_run_with_that_error(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    outcome = await run_on_ray(RecordingProvider(folder, refused="question", refuse="auth"), 500)

    assert str(outcome.errors[0]).startswith("not 'question ")
    assert str(outcome.errors[0]).endswith(
        "\n  where: fake/model, fake_0shot\n  try:   ask something else"
    )
    assert outcome.summary.n_unfinished == 1


async def test_a_key_that_some_questions_are_refused_with_fails_those(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    """Case s04-one-flagged-prompt-403."""
    outcome = await run_on_ray(RecordingProvider(folder, refused="question 5", refuse="auth"), 50)

    assert outcome.errors == ()
    assert outcome.summary.n_failed == 1


async def test_a_model_that_cannot_be_opened_stops_the_run_with_that_error(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    outcome = await run_on_ray(RecordingProvider(folder, refuse_opening="auth"))

    assert [str(error) for error in outcome.errors] == [
        "the weights are locked\n  where: model fake/model\n  try:   ask for the key"
    ]


async def test_a_request_that_takes_too_long_fails_with_its_reason(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=60)

    outcome = await run_on_ray(
        model, 3, timeouts={"request_s": 0.2}, retry={"max_attempts": 2, "base_s": 0.001}
    )

    assert "no answer within 0.2 s" in outcome.errors[0].what
    assert set(model.lines("asked").values()) == {2}


async def test_a_provider_that_cannot_be_pickled_is_told(
    ray_here: Any, tmp_path: Path, run_on_ray: RunOnRay
) -> None:
    model: Any = FakeModel()
    model.lock = threading.Lock()

    outcome = await run_on_ray(model)

    assert outcome.errors[0].what.startswith(
        "this model cannot be sent to another process: TypeError: cannot pickle"
    )


async def test_too_few_resources_are_told_after_a_while(run_on_ray: RunOnRay, folder: Path) -> None:
    settings = RaySettings(actors=1, num_gpus=8, start_timeout_s=1.0)

    outcome = await run_on_ray(RecordingProvider(folder), settings=settings)

    assert outcome.errors[0].what == "no Ray worker was ready within 1 s"
    assert "CPU 1 of 16, GPU 8 of 0" in outcome.errors[0].hint


async def test_a_stopped_run_ends_its_workers_and_goes_on_later(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    slow, stop = RecordingProvider(folder, latency_s=0.05), asyncio.Event()
    running: asyncio.Task[Any] = asyncio.create_task(run_on_ray(slow, 400, stop=stop))
    await until(lambda: slow.lines("asked").total() > 50)

    stop.set()
    first = await running
    workers = slow.processes()
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    second = await run_on_ray(slow, 400)

    assert first.summary.interrupted
    assert 0 < first.summary.n_requests < 400
    assert first.summary.n_requests + second.summary.n_requests == 400
    assert set(slow.lines("asked").values()) == {1}
    assert second.summary.results[0].n_samples == 400


async def test_a_request_that_nobody_waits_for_leaves_its_worker(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    settings = RaySettings(actors=1, concurrency_per_actor=1)
    model = RecordingProvider(folder, stuck="question 3")

    outcome = await run_on_ray(
        model, 12, settings=settings, concurrency=1, timeouts={"sample_s": 2}
    )

    result = outcome.summary.results[0]
    assert (result.n_samples, result.n_failed) == (12, 1)


async def test_servers_are_asked_side_by_side(ray_here: Any, folder: Path, tmp_path: Path) -> None:
    slow = RecordingProvider(folder, latency_s=0.5, endpoint="slow")
    quick = RecordingProvider(tmp_path, endpoint="quick")

    outcome = await run_in(
        tmp_path / "home",
        datasets={"fake": FakeDataset(20)},
        models={"slow": slow, "quick": quick},
        executors={"ray": RayExecutor(RaySettings(actors=1, num_cpus=0.5))},
        executor="ray",
        concurrency=2,
    )

    assert [result.n_samples for result in outcome.summary.results] == [20, 20]
    assert quick.spans()[-1][1] < slow.spans()[-1][1]


async def test_a_model_waits_for_a_place_while_another_one_of_the_run_works(
    ray_here: Any, folder: Path, tmp_path: Path
) -> None:
    settings = RaySettings(actors=1, resources={"place": 1}, start_timeout_s=9.0)
    one = RecordingProvider(folder, latency_s=1.0, endpoint="one")
    other = RecordingProvider(tmp_path, latency_s=1.0, endpoint="other")

    outcome = await run_in(
        tmp_path / "home",
        datasets={"fake": FakeDataset(20)},
        models={"one": one, "other": other},
        executors={"ray": RayExecutor(settings)},
        executor="ray",
        concurrency=2,
    )

    assert not outcome.errors
    assert [result.n_samples for result in outcome.summary.results] == [20, 20]
    first, second = sorted((one.spans(), other.spans()))
    assert first[-1][1] < second[0][0]
