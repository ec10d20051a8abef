"""Workers that are there and do not work: they hang, refuse, are slow, or have no place."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from llmeval_ray_executor.settings import RaySettings

from plugins.executors.ray_executor.tests.conftest import RunOnRay, until
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


async def test_a_worker_that_hangs_is_replaced(
    run_on_ray: RunOnRay, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmeval_ray_executor.worker_slot.SILENCE_S", 3.0)
    model = RecordingProvider(folder, latency_s=0.05, n_together=2)
    running: asyncio.Task[Any] = asyncio.create_task(
        run_on_ray(model, 60, settings=RaySettings(actors=2), timeouts={"request_s": 1})
    )
    await until(lambda: model.lines("asked").total() > 20)

    os.kill(model.processes()[0], signal.SIGSTOP)
    outcome = await running

    assert (outcome.summary.n_requests, outcome.summary.n_failed) == (60, 0)


async def test_a_copy_that_refuses_everything_fails_nothing(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.1, max_concurrency=4, n_bad_copies=1)

    outcome = await run_on_ray(model, 200, settings=RaySettings(actors=3))

    assert outcome.summary.n_failed == 0


async def test_a_samples_time_does_not_run_while_workers_have_no_place(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.3, max_concurrency=1)
    settings = RaySettings(actors=8, resources={"place": 1})

    outcome = await run_on_ray(model, 12, settings=settings, timeouts={"sample_s": 1.5})

    assert outcome.summary.n_failed == 0


async def test_what_comes_after_a_stuck_request_does_not_wait_for_it(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, latency_s=0.002, max_concurrency=1, stuck="question 150")

    outcome = await run_on_ray(model, 300, settings=RaySettings(actors=2), timeouts={"sample_s": 2})

    assert outcome.summary.n_failed == 1
