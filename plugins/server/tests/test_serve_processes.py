"""`llmeval serve`: its processes, from the first line to the last."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

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


def start(
    processes: ServerProcesses, *args: str, **options: Any
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server on a free port, and return it with its address when it is ready."""
    server = processes.start("serve", "--port", "0", *args, **options)
    wait_until(lambda: _URL.search(processes.said(server)) or server.poll() is not None, "a server")
    found = _URL.search(processes.said(server))
    assert found, processes.said(server)
    return server, found.group(1)


def get(url: str, token: str | None = None) -> tuple[int, str]:
    """Fetch a page."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as err:
        with err:
            return err.code, err.read().decode()


def post(url: str, body: object) -> tuple[int, Any]:
    """Send JSON and return what comes back; Any: JSON."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return response.status, json.loads(response.read())


def wait_for_worker(processes: ServerProcesses, *, other_than: int | None = None) -> int:
    """Return the process id of the folder's worker when it has one."""
    wait_until(lambda: worker_pid(processes.home) not in (None, other_than), "a worker")
    pid = worker_pid(processes.home)
    assert pid is not None
    return pid


def test_one_command_serves_and_runs_jobs(processes: ServerProcesses) -> None:
    processes.environ["LLMEVAL_DATA_FOLDERS"] = str(processes.folder)
    _, url = start(processes)

    status, health = get(f"{url}healthz")
    store = processes.store()
    job = store.submit(processes.run_file(5), name="small")

    assert (status, json.loads(health)["status"]) == (200, "ok")
    assert url.startswith("http://127.0.0.1:")
    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert get(f"{url}readyz")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_ended_server_leaves_no_process_behind(
    processes: ServerProcesses, number: signal.Signals
) -> None:
    server, _ = start(processes)
    store = processes.store()
    job = store.submit(processes.run_file(1000, latency_s=0.1), name="long")
    wait_until(processes.asked, "the first question")
    family = descendants(server.pid)

    server.send_signal(number)

    assert server.wait(60) == 0
    assert family
    assert [pid for pid in family if is_alive(pid)] == []
    assert not store.get(job.id).is_over
    assert processes.committed() == set(processes.asked())


def test_ctrl_c_in_a_terminal_ends_everything_cleanly(processes: ServerProcesses) -> None:
    server, _ = start(processes, start_new_session=True)
    worker = wait_for_worker(processes)
    store = processes.store()
    store.submit(processes.run_file(1000, latency_s=0.1), name="long")
    wait_until(processes.asked, "the first question")

    os.killpg(server.pid, signal.SIGINT)

    assert server.wait(60) == 0
    assert not is_alive(worker)
    assert "Traceback" not in processes.said(server)
    assert "the worker ends; 1 jobs go on when it starts again" in processes.said(server)


def test_an_early_ctrl_c_leaves_nothing_behind(processes: ServerProcesses) -> None:
    server = processes.start("serve", "--port", "0")
    wait_until((processes.home / "server.json").exists, "the lock")

    server.send_signal(signal.SIGTERM)

    assert server.wait(60) == 0
    wait_until(lambda: worker_pid(processes.home) is None, "the end of the worker")
    assert not (processes.home / "server.json").exists()


def test_a_killed_server_takes_its_worker_along_and_the_next_goes_on(
    processes: ServerProcesses,
) -> None:
    store = processes.store()
    server, _ = start(processes)
    job = store.submit(processes.run_file(150, latency_s=0.05), name="long")
    wait_until(lambda: len(processes.asked()) > 10, "the first questions")
    worker = wait_for_worker(processes)

    kill(server)
    start(processes)

    wait_until(lambda: not is_alive(worker), "the end of the old worker")
    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert len(processes.asked()) == len(set(processes.asked())) == 150


def test_a_killed_worker_is_replaced_and_the_server_goes_on(processes: ServerProcesses) -> None:
    store = processes.store()
    server, url = start(processes)
    job = store.submit(processes.run_file(100, latency_s=0.05), name="long")
    wait_until(lambda: len(processes.asked()) > 10, "the first questions")
    worker = wait_for_worker(processes)

    os.kill(worker, signal.SIGKILL)

    wait_for_worker(processes, other_than=worker)
    assert get(f"{url}healthz")[0] == 200
    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert "the worker ended (signal SIGKILL); it is started again in 0.5 s" in processes.said(
        server
    )


def test_server_and_worker_killed_together_lose_no_job(processes: ServerProcesses) -> None:
    store = processes.store()
    server, _ = start(processes)
    jobs = [
        store.submit(processes.run_file(50, f"t{i}", latency_s=0.05), name=str(i)) for i in range(4)
    ]
    wait_until(lambda: len(processes.asked()) > 60, "questions of the second job")

    os.kill(wait_for_worker(processes), signal.SIGKILL)
    kill(server)
    committed, before = processes.committed(), len(processes.asked())
    start(processes)

    assert {processes.wait_for_end(store, job.id).state for job in jobs} == {"succeeded"}
    assert not committed & set(processes.asked()[before:])


def test_a_second_server_says_who_has_the_folder(processes: ServerProcesses) -> None:
    first, url = start(processes)

    second = processes.start("serve", "--port", "0")

    assert second.wait(60) == 2
    said = processes.said(second)
    assert said.startswith(
        f"error: this folder has a server already: process {first.pid} at {url}, since 2"
    )
    assert said.endswith(
        f"  where: {processes.home}\n"
        "  try:   use that one, or choose another folder with --home DIR\n"
    )
    assert get(f"{url}healthz")[0] == 200


def test_a_port_that_is_taken_is_told_and_nothing_is_started(processes: ServerProcesses) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        server = processes.start("serve", "--port", str(port))

        assert server.wait(60) == 2
    assert processes.said(server) == (
        f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        "  where: --port\n"
        "  try:   another program may have this port; choose one with --port, 0 for a free one\n"
    )
    assert not (processes.home / "worker.json").exists()
    assert not (processes.home / "server.json").exists()


@pytest.mark.parametrize(
    ("args", "variables", "error"),
    [
        (["--port", "many"], {}, "--port"),
        (["--jobs-at-once", "0"], {}, "--jobs-at-once"),
        ([], {"LLMEVAL_PORT": "99999"}, "LLMEVAL_PORT"),
        (["--host", "no such host"], {}, "--host"),
        (["--token-file", "missing"], {}, "missing"),
    ],
)
def test_a_wrong_setting_is_told_where_it_stands(
    processes: ServerProcesses, args: list[str], variables: dict[str, str], error: str
) -> None:
    processes.environ.update(variables)

    server = processes.start("serve", *args)

    assert server.wait(60) == 2
    assert processes.said(server).startswith("error: ")
    assert f"  where: {error}\n" in processes.said(server)
    assert "Traceback" not in processes.said(server)


def test_an_open_address_needs_a_token_that_is_shown_once(processes: ServerProcesses) -> None:
    server, url = start(processes, "--host", "0.0.0.0")
    found = re.search(r"token: (\S+)  \(shown once", processes.said(server))
    assert found
    token = found.group(1)
    address = url.replace("0.0.0.0", "127.0.0.1")

    assert len(token) >= 32
    assert get(f"{address}api/v1/jobs")[0] == 401
    assert get(f"{address}api/v1/jobs", token)[0] == 200
    assert processes.said(server).count(token) == 1
    assert token not in processes.log()


def test_a_given_token_is_not_shown(processes: ServerProcesses) -> None:
    (processes.folder / "token").write_text("a-token-of-our-own-choice\n")
    server, url = start(processes, "--token-file", str(processes.folder / "token"))

    assert get(f"{url}api/v1/jobs")[0] == 401
    assert get(f"{url}api/v1/jobs", "a-token-of-our-own-choice")[0] == 200
    assert "a-token-of-our-own-choice" not in processes.said(server) + processes.log()


def test_server_and_worker_may_be_two_services(processes: ServerProcesses) -> None:
    store = processes.store()
    server, _ = start(processes, "--no-worker")
    job = store.submit(processes.run_file(100, latency_s=0.05), name="long")
    assert worker_pid(processes.home) is None

    worker = processes.start_worker()
    wait_until(lambda: len(processes.asked()) > 10, "the first questions")
    kill(server)
    start(processes, "--no-worker")

    assert processes.wait_for_end(store, job.id).state == "succeeded"
    assert worker.poll() is None
    assert len(processes.asked()) == len(set(processes.asked())) == 100


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys, llmeval_server.plugin\n"
        "print([m for m in ('fastapi', 'dbos', 'uvicorn', 'sqlalchemy', 'aiohttp')"
        " if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert done.stdout == "[]\n"
