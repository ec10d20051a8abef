"""The thread that calls MLflow."""

from __future__ import annotations

import threading

import pytest
from llmeval_mlflow_tracker.worker_thread import WorkerThread


async def test_jobs_run_in_one_daemon_thread() -> None:
    worker = WorkerThread("test")

    first = await worker.run(threading.current_thread, within_s=5)
    second = await worker.run(threading.current_thread, within_s=5)
    worker.stop()

    assert first is second
    assert first.daemon
    assert first is not threading.main_thread()


async def test_an_error_comes_back() -> None:
    worker = WorkerThread("test")

    with pytest.raises(ZeroDivisionError):
        await worker.run(lambda: 1 / 0, within_s=5)
    worker.stop()


async def test_a_stuck_job_does_not_hold_up_the_next() -> None:
    worker, release = WorkerThread("test"), threading.Event()

    with pytest.raises(TimeoutError):
        await worker.run(release.wait, within_s=0.01)
    answer = await worker.run(lambda: 42, within_s=5)
    release.set()
    worker.stop()

    assert answer == 42
