"""Runs 1,000 samples on three machines of a test cluster and kills one at 40 %; prints JSON.

A process of its own, because a process is connected to one Ray only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import ray
from llmeval_ray_executor.settings import RaySettings
from ray.cluster_utils import Cluster

from plugins.executors.ray_executor.tests.conftest import run_with, until
from plugins.executors.ray_executor.tests.recording_provider import RecordingProvider


async def lose_one(folder: Path, cluster: Any, machines: list[Any]) -> dict[str, Any]:
    """Run, kill, and tell; Any: Ray's test cluster has no types."""
    model = RecordingProvider(folder, latency_s=0.02)
    settings = RaySettings(
        address=cluster.address, actors=3, concurrency_per_actor=4, resources={"place": 1}
    )
    before = n_alive()
    running = asyncio.create_task(run_with(folder / "home", model, 1000, settings=settings))
    await until(lambda: model.lines("asked").total() > 400)
    gap = asyncio.create_task(longest_gap(model, running))
    await asyncio.to_thread(cluster.remove_node, machines[0], allow_graceful=False)
    outcome = await running
    summary = outcome.summary
    return {
        "n_requests": summary.n_requests,
        "n_samples": summary.n_samples,
        "n_failed": summary.n_failed,
        "n_machines_before": before,
        "n_machines_after": await n_alive_below(before),
        "longest_gap_s": await gap,
        "repeated": model.lines("asked").total() - 1000,
    }


async def longest_gap(model: RecordingProvider, running: asyncio.Task[Any]) -> float:
    """Measure the longest time without any request; Any: the outcome has no public type."""
    longest, since, n_before = 0.0, time.monotonic(), -1
    while not running.done():
        n_asked = model.lines("asked").total()
        if n_asked != n_before:
            since, n_before = time.monotonic(), n_asked
        longest = max(longest, time.monotonic() - since)
        await asyncio.sleep(0.01)
    return longest


async def n_alive_below(before: int, *, within_s: float = 60.0) -> int:
    """Count the machines once Ray has noted a loss, which may take longer than the run."""
    await until(lambda: n_alive() < before, within_s=within_s)
    return n_alive()


def n_alive() -> int:
    """Count the machines that Ray takes for alive."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # Ray's
    return sum(node["Alive"] for node in nodes)


def main() -> None:
    """Start the cluster, run, and print what came out."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    machines = [cluster.add_node(num_cpus=2, resources={"place": 2}) for _ in range(3)]
    ray.init(address=cluster.address, log_to_driver=False)
    told = asyncio.run(lose_one(Path(sys.argv[1]), cluster, machines))
    ray.shutdown()
    cluster.shutdown()  # type: ignore[no-untyped-call]  # Ray's
    print(json.dumps(told))


if __name__ == "__main__":
    main()
