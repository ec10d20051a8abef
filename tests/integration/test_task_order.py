"""How many requests go at once, and which task comes first, leaves no trace in any number."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.integration.task_project import TASKS, TaskProject, numbers, samples
from tests.integration.task_server import TaskServer

N = 15


def found_with(
    folder: Path, server: TaskServer, *, concurrency: int, tasks: list[str], latency_s: float
) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Run all tasks; return the numbers and the samples, by task. Any: JSON."""
    server.latency_s = latency_s
    server.asked.clear()
    project = TaskProject(folder, server.url, N, tasks=tasks, concurrency=concurrency)
    printed = project.finish(project.start())
    assert set(server.asked.values()) == {1}
    return numbers(printed), samples(folder)


def test_the_same_numbers_at_any_concurrency_and_in_any_order(
    tmp_path: Path, task_server: TaskServer
) -> None:
    expected = found_with(
        tmp_path / "1", task_server, concurrency=1, tasks=list(TASKS), latency_s=0.0
    )
    for seed, (concurrency, latency_s) in enumerate([(7, 0.005), (64, 0.0), (64, 0.02)]):
        tasks = random.Random(seed).sample(list(TASKS), len(TASKS))

        found = found_with(
            tmp_path / f"seed-{seed}",
            task_server,
            concurrency=concurrency,
            tasks=tasks,
            latency_s=latency_s,
        )

        assert found == expected
