"""Runs 1,000 samples on the cluster of an address; prints JSON. See `test_losses`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from llmeval_ray_executor.settings import RaySettings

from plugins.executors.ray_executor.tests.conftest import run_with
from plugins.executors.ray_executor.tests.lose_a_machine import longest_gap
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


async def run(address: str, folder: Path) -> None:
    """Run, and tell."""
    model = RecordingProvider(folder, latency_s=0.02)
    settings = RaySettings(
        address=address, actors=2, concurrency_per_actor=4, resources={"place": 1}
    )
    running = asyncio.create_task(run_with(folder / "home", model, 1000, settings=settings))
    gap = asyncio.create_task(longest_gap(model, running))
    summary = (await running).summary
    told = {
        "n_requests": summary.n_requests,
        "n_samples": summary.n_samples,
        "n_failed": summary.n_failed,
        "longest_gap_s": await gap,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
