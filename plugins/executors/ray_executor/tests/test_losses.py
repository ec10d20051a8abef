"""Workers and machines that are lost in the middle of a run: nothing lost, little repeated."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from llmeval_ray_executor.cluster import LOCAL_ENVIRONMENT
from llmeval_ray_executor.settings import RaySettings

from plugins.executors.ray_executor.tests.conftest import ROOT, RunOnRay, until
from plugins.executors.ray_executor.tests.worker_models import WrittenDown


async def test_killed_workers_lose_nothing_and_repeat_only_what_was_with_them(
    run_on_ray: RunOnRay, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = WrittenDown(folder, latency_s=0.01)
    running: asyncio.Task[Any] = asyncio.create_task(run_on_ray(model, 1000))

    for n_asked in (200, 400, 600):
        await until(lambda n=n_asked: model.lines("asked").total() > n)  # type: ignore[misc]
        worker = model.processes("asked")[-1]
        os.kill(worker, signal.SIGKILL)
        (folder / f"{worker}.asked").rename(folder / f"{worker}.before")
    outcome = await running

    asked = model.lines("asked") + model.lines("before")
    assert outcome.summary.n_requests == outcome.summary.n_samples == 1000
    assert outcome.summary.n_failed == 0
    assert len(asked) == 1000
    assert asked.total() - 1000 <= 3 * (4 + 1)
    assert sum("was lost: ActorDiedError" in line for line in caplog.messages) == 3
    assert len(model.processes("opened")) >= 5


async def test_a_lost_machine_loses_nothing_and_is_noticed_in_seconds(folder: Path) -> None:
    script = Path(__file__).with_name("lose_a_machine.py")
    environ = {
        **os.environ,
        **LOCAL_ENVIRONMENT,
        "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "disabled",
    }

    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(folder), env=environ, stdout=PIPE
    )
    output, _ = await process.communicate()

    told = json.loads(output.splitlines()[-1])
    asked = WrittenDown(folder).lines("asked")
    assert process.returncode == 0
    assert told["n_requests"] == told["n_samples"] == len(asked) == 1000
    assert told["n_failed"] == 0
    assert told["n_machines_after"] == told["n_machines_before"] - 1
    assert asked.total() - 1000 <= 20 + 5
    assert told["longest_gap_s"] < 10


async def test_a_request_that_kills_its_worker_fails_alone(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = WrittenDown(folder, deadly="question 33")

    outcome = await run_on_ray(model, 100)

    result = outcome.summary.results[0]
    assert (result.n_samples, result.n_failed) == (100, 1)
    assert model.lines("asked")["question 33"] == 4


async def test_workers_that_die_again_and_again_end_the_run(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    settings = RaySettings(actors=2, max_restarts=1)
    model = WrittenDown(folder, deadly="question")

    outcome = await run_on_ray(model, 100, settings=settings)

    assert outcome.errors[0].what == "all 2 Ray workers were lost, again and again"
    assert len(model.processes("opened")) == 4
