"""SIGTERM ends a server and a worker whatever runs; nothing is left behind, and nothing is lost.

A process that does not end by itself is killed by its watchdog: then its exit code is -9.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.server.tests.server_processes import (
    ServerProcesses,
    descendants,
    is_alive,
    kill,
    wait_until,
    worker_pid,
)

_URL = re.compile(r"llmeval serves (\S+)")
IN_TIME_S = 60


def hang(processes: ServerProcesses, how: str | None) -> None:
    """Let the model hang from now on, or no more."""
    file = processes.asked_file.with_suffix(".hang")
    file.unlink(missing_ok=True)
    if how is not None:
        file.write_text(how)


def child_of_model(processes: ServerProcesses) -> int:
    """Return the process that a hanging model has started, once it hangs."""
    file = processes.asked_file.with_suffix(".child")
    wait_until(lambda: file.exists() and file.read_text(), "a model that hangs")
    return int(file.read_text())


def no_more(*pids: int) -> None:
    """Wait until processes are gone: the system takes a moment for those that were killed."""
    try:
        gone = lambda: not any(is_alive(pid) for pid in pids)  # noqa: E731
        wait_until(gone, f"the end of {pids}", within_s=IN_TIME_S)
    finally:
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("how", "code"), [("sleep", 0), ("search", -9)])
def test_a_worker_ends_though_its_model_hangs_and_the_next_one_goes_on(
    processes: ServerProcesses, how: str, code: int
) -> None:
    store = processes.store()
    hang(processes, how)
    job = store.submit(processes.run_file(3), name="hanging")
    worker = processes.start_worker()
    child = child_of_model(processes)
    family = descendants(worker.pid)

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(IN_TIME_S) == code
    assert child in family
    no_more(*family)
    assert not store.get(job.id).is_over
    hang(processes, None)
    processes.start_worker()
    assert processes.wait_for_end(store, job.id).state == "succeeded"


@pytest.mark.parametrize(("how", "code"), [("sleep", 130), ("search", -9)])
def test_a_second_signal_ends_a_worker_at_once(
    processes: ServerProcesses, how: str, code: int
) -> None:
    store = processes.store()
    hang(processes, how)
    store.submit(processes.run_file(3), name="hanging")
    worker = processes.start_worker()
    child_of_model(processes)
    family = descendants(worker.pid)

    worker.send_signal(signal.SIGTERM)
    if how == "sleep":  # Python runs one handler for signals that come together
        wait_until(lambda: pending(worker.pid) == 0, "the first signal")
    worker.send_signal(signal.SIGINT)

    assert worker.wait(IN_TIME_S) == code
    no_more(*family)


def pending(pid: int) -> int:
    """Return the signals that a process has not taken yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"ShdPnd:\s*([0-9a-f]+)", status)[0], 16)


def test_a_worker_whose_tracker_is_stuck_ends(processes: ServerProcesses) -> None:
    store = processes.store()
    job = store.submit({**processes.run_file(3), "trackers": ["stuck"]}, name="stuck")
    worker = processes.start_worker()
    wait_until((processes.home / "stuck.txt").exists, "the tracker")

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(IN_TIME_S) == 0
    assert not store.get(job.id).is_over


@pytest.mark.parametrize("how", ["sleep", "search"])
def test_a_killed_server_leaves_no_hanging_worker_behind(
    processes: ServerProcesses, how: str
) -> None:
    server = processes.start("serve", "--port", "0")
    store = processes.store()
    hang(processes, how)
    store.submit(processes.run_file(3), name="hanging")
    child_of_model(processes)
    family = descendants(server.pid)
    assert worker_pid(processes.home) in family

    kill(server)

    no_more(*family)


@pytest.fixture
def silent() -> Iterator[int]:
    """Give the port of an MLflow that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@pytest.mark.parametrize("n_signals", [1, 2])
def test_a_server_ends_whatever_runs_and_nothing_is_left(
    processes: ServerProcesses, silent: int, n_signals: int
) -> None:
    off = processes.environ["LLMEVAL_DISABLE_PLUGINS"].split(",")
    processes.environ["LLMEVAL_DISABLE_PLUGINS"] = ",".join(n for n in off if n != "mlflow_proxy")
    processes.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{silent}"
    processes.environ["LLMEVAL_DATA_FOLDERS"] = str(processes.folder)
    server = processes.start("serve", "--port", "0")
    wait_until(lambda: _URL.search(processes.said(server)), "the server")
    url = str(_URL.findall(processes.said(server))[0])
    store = processes.store()
    hang(processes, "search")
    job = store.submit(processes.run_file(3), name="hanging")
    child_of_model(processes)
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}x"
    planned = processes.run_file(3)
    planned["tasks"][0]["prompt"] = {"template": endless}
    open_requests = [
        Open(f"{url}api/v1/jobs/{job.id}/events"),
        Open(f"{url}api/v1/plan", json.dumps(planned).encode()),
        Open(f"{url}proxy-mlflow/api/2.0/mlflow/experiments/search?max_results=1"),
        Open(f"{url}proxy-mlflow/api/2.0/mlflow-artifacts/artifacts/x", b"x" * 50_000_000),
    ]
    wait_until(lambda: planner_of(server.pid), "a plan")
    family = descendants(server.pid)

    for _ in range(n_signals):
        server.send_signal(signal.SIGTERM)
        wait_until(lambda: server.poll() is not None or pending(server.pid) == 0, "the signal")

    assert server.wait(IN_TIME_S) == 0
    no_more(*family)
    assert not store.get(job.id).is_over
    assert "Traceback" not in processes.said(server)
    for request in open_requests:
        request.join()


class Open(threading.Thread):
    """A request that stays open until the server ends it; a body is sent as PUT or POST."""

    def __init__(self, url: str, body: bytes | None = None) -> None:
        super().__init__(daemon=True)
        method = "GET" if body is None else "PUT" if "artifacts" in url else "POST"
        headers = {"Content-Type": "application/json"}
        self._request = urllib.request.Request(url, body, headers, method=method)
        self.start()

    def run(self) -> None:
        try:
            with urllib.request.urlopen(self._request, timeout=120) as answer:
                answer.read()
        except (urllib.error.HTTPError, OSError, Exception) as err:  # noqa: BLE001  it was cut off
            if isinstance(err, urllib.error.HTTPError):
                err.close()


def planner_of(pid: int) -> set[int]:
    """Find the processes that plan for a server."""
    found = set()
    for child in descendants(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
        if b"planning_process" in command:
            found.add(child)
    return found


def test_a_watchdog_does_not_outlive_whom_it_watches(processes: ServerProcesses) -> None:
    worker = processes.start_worker()
    wait_until(lambda: worker_pid(processes.home), "the worker")
    (watchdog,) = descendants(worker.pid)

    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    no_more(watchdog)


def test_two_servers_one_after_the_other_need_no_pause(processes: ServerProcesses) -> None:
    for _ in range(2):
        server: subprocess.Popen[bytes] = processes.start("serve", "--port", "0")
        wait_until(lambda server=server: _URL.search(processes.said(server)), "it")  # type: ignore[misc]
        server.send_signal(signal.SIGTERM)

        assert server.wait(IN_TIME_S) == 0
