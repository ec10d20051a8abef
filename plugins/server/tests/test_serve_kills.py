"""Server, worker, or both killed at random moments, `LLMEVAL_KILL_ROUNDS` times."""

from __future__ import annotations

import os
import random
import signal
import subprocess

import pytest

from plugins.server.tests.server_processes import ServerProcesses, kill, wait_until, worker_pid
from plugins.server.tests.test_worker_kills import ROUNDS, mean_of, true_mean


def wait_for_server(rig: ServerProcesses, server: subprocess.Popen[bytes]) -> None:
    """Return when it serves."""
    wait_until(lambda: "llmeval serves" in rig.said(server), "the server")


def wait_for_other_worker(rig: ServerProcesses, old: int | None) -> None:
    """Return when the folder has a worker, and not this one."""
    wait_until(lambda: worker_pid(rig.home) not in (None, old), "the next worker")


def test_server_and_worker_may_be_killed_at_any_moment(rig: ServerProcesses) -> None:
    moments = random.Random(4)
    store = rig.store()
    n = 80 * ROUNDS
    jobs = [store.submit(rig.run_file(n, "long", latency_s=0.05), name="long")]
    server = rig.start("serve", "--port", "0")
    for i in range(ROUNDS):
        wait_for_server(rig, server)
        jobs.append(store.submit(rig.run_file(3, f"short{i}"), name=f"short {i}"))
        with pytest.raises(subprocess.TimeoutExpired):
            server.wait(moments.uniform(0, 2.5))
        victims = moments.choice([("worker",), ("server",), ("worker", "server")])
        worker = worker_pid(rig.home)
        committed, before = rig.committed(), len(rig.asked())
        if "worker" in victims and worker is not None:
            os.kill(worker, signal.SIGKILL)
        if "server" in victims:
            kill(server)
            server = rig.start("serve", "--port", "0")
        wait_for_other_worker(rig, worker)
        assert not committed & set(rig.asked()[before:])

    ended = [rig.wait_for_end(store, job.id) for job in jobs]

    assert {job.state for job in ended} == {"succeeded"}
    assert mean_of(rig, "long_0shot") == pytest.approx(true_mean(n))
    wait_for_server(rig, server)
