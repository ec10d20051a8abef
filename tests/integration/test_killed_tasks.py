"""kill -9 in a run of tasks of every shape: nothing is asked twice, every number is the same."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.integration.task_project import TaskProject, numbers, samples
from tests.integration.task_server import TaskServer, journalled

N_KILLS = int(os.environ.get("LLMEVAL_KILL_ROUNDS", "3"))
"""How often a run is killed; CI sets 10."""


def kill_somewhere(
    project: TaskProject, server: TaskServer, chance: random.Random, *, most_requests: float
) -> None:
    """Start a run and kill it: mostly among its requests, sometimes before, by time."""
    before = server.taken().total()
    process = project.start()
    if chance.random() < 0.15:
        time.sleep(chance.uniform(0, 3))
    else:
        wanted = before + chance.randint(1, round(most_requests))
        server.wait_for(wanted, until=lambda: process.poll() is not None)
        time.sleep(chance.uniform(0, 0.4))
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_tasks_of_every_shape_that_are_killed_again_and_again_end_with_the_right_numbers(
    tmp_path: Path, task_server: TaskServer
) -> None:
    chance = random.Random(13)
    task_server.latency_s = 0.02
    n = 20 * N_KILLS
    whole = TaskProject(tmp_path / "whole", task_server.url, n)
    expected = whole.finish(whole.start())
    asked_once = task_server.taken()
    task_server.asked.clear()
    project = TaskProject(tmp_path / "killed", task_server.url, n)

    known: set[str] = set()
    for _ in range(N_KILLS):
        before = task_server.taken()
        kill_somewhere(project, task_server, chance, most_requests=1.6 * len(asked_once) / N_KILLS)
        again = {one for one, count in task_server.taken().items() if count > before[one]} & known
        now = journalled(project.folder)
        assert not again
        assert known <= now
        known = now
    assert known
    printed = project.finish(project.start())

    assert set(asked_once.values()) == {1}
    assert set(task_server.taken()) == set(asked_once) == journalled(project.folder)
    assert numbers(printed) == numbers(expected)
    assert samples(project.folder) == samples(whole.folder)
