"""Server, worker, or both killed at random moments, `LLMEVAL_KILL_ROUNDS` times."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from plugins.server.tests.server_processes import ServerProcesses, kill, wait_until, worker_pid
from plugins.server.tests.test_worker_kills import ROUNDS, mean_of, true_mean


def wait_for_server(processes: ServerProcesses, server: subprocess.Popen[bytes]) -> None:
    """Return when it serves."""
    wait_until(lambda: "llmeval serves" in processes.said(server), "the server")


def wait_for_other_worker(processes: ServerProcesses, old: int | None) -> None:
    """Return when the folder has a worker, and not this one."""
    wait_until(lambda: worker_pid(processes.home) not in (None, old), "the next worker")


def test_server_and_worker_may_be_killed_at_any_moment(processes: ServerProcesses) -> None:
    moments = random.Random(4)
    store = processes.store()
    n = 80 * ROUNDS
    jobs = [store.submit(processes.run_file(n, "long", latency_s=0.05), name="long")]
    server = processes.start("serve", "--port", "0")
    for i in range(ROUNDS):
        wait_for_server(processes, server)
        jobs.append(store.submit(processes.run_file(3, f"short{i}"), name=f"short {i}"))
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(moments.uniform(0, 2.5))
        victims = moments.choice([("worker",), ("server",), ("worker", "server")])
        worker = worker_pid(processes.home)
        committed, before = processes.committed(), len(processes.asked())
        if "worker" in victims and worker is not None:
            os.kill(worker, signal.SIGKILL)
        if "server" in victims:
            kill(server)
            server = processes.start("serve", "--port", "0")
        wait_for_other_worker(processes, worker)
        assert not committed & set(processes.asked()[before:])

    ended = [processes.wait_for_end(store, job.id) for job in jobs]

    assert {job.state for job in ended} == {"succeeded"}
    assert mean_of(processes, "long_0shot") == pytest.approx(true_mean(n))
    wait_for_server(processes, server)
