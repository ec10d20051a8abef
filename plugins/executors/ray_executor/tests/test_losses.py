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
from llmeval_ray_executor.executor import MAX_PREFETCH
from llmeval_ray_executor.settings import RaySettings

from plugins.executors.ray_executor.tests.conftest import ROOT, RunOnRay, until
from plugins.executors.ray_executor.tests.network_hosts import network_hosts, why_not
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


async def test_killed_workers_lose_nothing_and_repeat_only_what_was_with_them(
    run_on_ray: RunOnRay, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = RecordingProvider(folder, latency_s=0.04)
    settings = RaySettings(actors=3, concurrency_per_actor=4)
    running: asyncio.Task[Any] = asyncio.create_task(run_on_ray(model, 1000, settings=settings))

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
    assert asked.total() - 1000 <= 3 * (4 + MAX_PREFETCH)
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
    asked = RecordingProvider(folder).lines("asked")
    assert process.returncode == 0
    assert told["n_requests"] == told["n_samples"] == len(asked) == 1000
    assert told["n_failed"] == 0
    assert told["n_machines_after"] == told["n_machines_before"] - 1
    assert asked.total() - 1000 <= 4 + MAX_PREFETCH
    assert told["longest_gap_s"] < 10


async def test_a_machine_that_is_cut_off_loses_nothing_and_is_noticed_in_seconds(
    folder: Path,
) -> None:
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    environ = {**LOCAL_ENVIRONMENT, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled"}
    ray = (sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=2")
    model = RecordingProvider(folder)
    with network_hosts(3) as machines:
        head = machines[0]
        at = ["--head", "--port=6379", "--include-dashboard=false"]
        for machine in machines:
            address = f"--node-ip-address={machine.address}"
            started = machine.start(*ray, *at, address, **environ)
            _, told = await asyncio.to_thread(started.communicate, timeout=120)
            assert started.returncode == 0, told
            at = [f"--address={head.address}:6379", '--resources={"place": 1}']
        script = str(Path(__file__).with_name("run_on_cluster.py"))
        run = head.start(sys.executable, script, f"{head.address}:6379", str(folder), **environ)
        await until(lambda: model.lines("asked").total() > 400, within_s=120)

        machines[1].cut_off()
        out, err = await asyncio.to_thread(run.communicate, timeout=120)

    assert run.returncode == 0, err
    told_by_run = json.loads(out.splitlines()[-1])
    asked = model.lines("asked")
    assert told_by_run["n_requests"] == told_by_run["n_samples"] == len(asked) == 1000
    assert told_by_run["n_failed"] == 0
    assert asked.total() - 1000 <= 4 + MAX_PREFETCH
    assert told_by_run["longest_gap_s"] < 20  # a minute without the settings


async def test_a_request_that_kills_its_worker_fails_alone(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    model = RecordingProvider(folder, deadly="question 33")

    outcome = await run_on_ray(model, 100)

    result = outcome.summary.results[0]
    assert (result.n_samples, result.n_failed) == (100, 1)
    assert model.lines("asked")["question 33"] == 4


async def test_workers_that_die_again_and_again_end_the_run(
    run_on_ray: RunOnRay, folder: Path
) -> None:
    settings = RaySettings(actors=2, max_restarts=1)
    model = RecordingProvider(folder, deadly="question")

    outcome = await run_on_ray(model, 100, settings=settings)

    assert outcome.errors[0].what == "all 2 Ray workers were lost, again and again"
    assert len(model.processes("opened")) == 4
