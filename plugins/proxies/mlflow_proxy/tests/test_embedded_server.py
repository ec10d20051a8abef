"""The embedded MLflow: it comes up by itself, stays up, and never outlives its server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from filelock import FileLock
from llmeval_mlflow_proxy.embedded.embedded_server import EmbeddedServer
from llmeval_mlflow_proxy.embedded.service_file import read_service_file
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream
from mlflow.tracking import MlflowClient

from plugins.proxies.mlflow_proxy.tests.process_checks import (
    has_child,
    keeper_of,
    mlflow_processes,
    wait_until,
)
from plugins.proxies.mlflow_proxy.tests.route_server import MAX_WAIT_S

ROOT = Path(__file__).parents[4]


class RouteServer:
    """A process that serves the routes, with what it writes."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, "-m", "plugins.proxies.mlflow_proxy.tests.serve_routes", str(home)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def is_ready(self) -> bool:
        """Tell whether MLflow answers through the proxy."""
        with contextlib.suppress(OSError):
            path = "/proxy-mlflow/api/2.0/mlflow/experiments/search?max_results=1"
            urllib.request.urlopen(self.url + path).close()
            return True
        return False

    def end(self, how: signal.Signals) -> None:
        """End it; does nothing if it has ended."""
        self.process.send_signal(how)
        self.process.wait(MAX_WAIT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


Serve = Callable[..., RouteServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers that end with the test, also if it fails."""
    with contextlib.ExitStack() as stack:

        def start(home: Path, **environment: str) -> RouteServer:
            serving = RouteServer(home, **environment)
            stack.callback(serving.end, signal.SIGTERM)
            return serving

        yield start


def test_mlflow_ends_with_the_server_however_that_ends(serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "it's a 100% folder"
    for how in (signal.SIGINT, signal.SIGKILL):
        serving = serve(home, MLFLOW_TRACKING_URI=f"sqlite:///{home}/team.db")
        wait_until(serving.is_ready)
        assert len(mlflow_processes(home)) >= 3

        serving.end(how)

        wait_until(lambda: not mlflow_processes(home))
    assert (home / "team.db").stat().st_size > 0
    assert not (home / "mlflow.db").exists()


def test_a_server_killed_while_mlflow_starts_leaves_no_half_database(
    serve: Serve, tmp_path: Path
) -> None:
    serving = serve(tmp_path)
    wait_until(lambda: bool([*tmp_path.glob(".mlflow.db.*.draft")]))

    serving.end(signal.SIGKILL)

    assert not (tmp_path / "mlflow.db").exists() or not mlflow_processes(tmp_path)
    again = serve(tmp_path)
    wait_until(again.is_ready)
    assert mlflow_processes(tmp_path)
    again.end(signal.SIGTERM)
    wait_until(lambda: not mlflow_processes(tmp_path))


def test_pages_answer_at_once_while_mlflow_starts(serve: Serve, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "mlflow.db.lock")
    with lock:  # the tracker is making its tables
        serving = serve(tmp_path)
        request = urllib.request.Request(
            f"{serving.url}/proxy-mlflow/", headers={"Accept": "text/html"}
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as answer:
            assert answer.status == 503
            assert b"MLflow is starting" in answer.read()
        diagnosis = urllib.request.urlopen(f"{serving.url}/debug-mlflow/").read().decode()
        assert "MLflow is starting" in diagnosis
        assert not (tmp_path / "mlflow.db").exists()
    serving.end(signal.SIGTERM)


def test_the_tracker_need_not_wait_while_mlflow_is_imported_to_make_tables(
    serve: Serve, tmp_path: Path
) -> None:
    serving = serve(tmp_path)
    wait_until(lambda: has_child(serving.process.pid, b"llmeval_mlflow_proxy.embedded.table_setup"))

    with FileLock(tmp_path / "mlflow.db.lock", timeout=0):  # of a process that imports
        assert not (tmp_path / "mlflow.db").exists()


async def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + MAX_WAIT_S
    while not happened():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_it_survives_a_taken_port_and_its_own_death_and_is_shared(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    request.addfinalizer(taken.close)
    server = EmbeddedServer(None, first_port=taken.getsockname()[1])
    second = EmbeddedServer(None)
    await server.start(tmp_path)
    await until(lambda: isinstance(server.upstream(), Upstream))
    first = server.upstream()
    assert isinstance(first, Upstream)
    assert first.url != f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert server.history().n_ends == 1

    # Only who knows its host name gets anything from it.
    assert re.fullmatch(r"[0-9a-f]{32}\.localhost", first.host)
    assert oct((tmp_path / "mlflow-server.log").stat().st_mode)[-3:] == "600"
    path = "/api/2.0/mlflow/experiments/search?max_results=1"
    async with aiohttp.ClientSession() as session, session.get(first.url + path) as answer:
        assert answer.status == 403

    await second.start(tmp_path)
    await until(lambda: second.upstream() == first)
    assert read_service_file(tmp_path) == first
    assert oct((tmp_path / "mlflow-server.json").stat().st_mode)[-3:] == "600"

    before = set(mlflow_processes(tmp_path))
    os.kill(keeper_of(tmp_path), signal.SIGKILL)
    await until(lambda: not before & set(mlflow_processes(tmp_path)))
    await until(lambda: server.upstream() != first and isinstance(server.upstream(), Upstream))
    await until(lambda: second.upstream() == server.upstream())

    await second.stop()
    assert mlflow_processes(tmp_path)
    await server.stop()
    assert not mlflow_processes(tmp_path)
    assert read_service_file(tmp_path) is None


def test_the_tracker_and_the_embedded_server_work_on_one_folder_at_once(
    serve: Serve, tmp_path: Path
) -> None:
    home = tmp_path / ".llmeval"
    (tmp_path / "data.jsonl").write_text('{"input": "日本の首都", "references": ["東京"]}\n')
    serving = serve(home)
    evaluating = subprocess.Popen(
        [
            *(sys.executable, "-c", "from llmeval_core.cli import main; main()"),
            *("run", "--home", str(home)),
            *("-m", "echo/parrot", "-d", f"jsonl:{tmp_path / 'data.jsonl'}"),
            *("--metric", "exact_match", "--tracker", "mlflow"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = evaluating.communicate(timeout=2 * MAX_WAIT_S)[0]
    wait_until(serving.is_ready)

    assert evaluating.returncode == 0, said
    assert not {"mlflow.db", "mlartifacts", "mlflow.db.lock"} - {p.name for p in home.iterdir()}
    url = f"{serving.url}/proxy-mlflow"
    client: Any = MlflowClient(url)  # Any: mlflow's types are loose
    experiment = client.get_experiment_by_name("model_evaluation")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["model_name"] == "echo/parrot"
    (table,) = [file.path for file in client.list_artifacts(run.info.run_id) if not file.is_dir]
    page = f"{url}/get-artifact?path={table}&run_uuid={run.info.run_id}"
    rows = json.loads(urllib.request.urlopen(page).read())["data"]
    assert "日本の首都" in rows[0]

    leads_to = urllib.request.urlopen(f"{serving.url}/debug-mlflow/run?model=echo/parrot")
    page = f"{url}/#/experiments/{experiment.experiment_id}/runs/{run.info.run_id}"
    assert leads_to.url == page
    assert mlflow_processes(home)
    serving.end(signal.SIGTERM)
    wait_until(lambda: not mlflow_processes(home))


async def test_without_mlflow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    server = EmbeddedServer(None)

    await server.start(tmp_path)

    absence = server.upstream()
    assert isinstance(absence, Unavailable)
    assert absence.hint == (
        "pip install 'llmeval-mlflow-proxy[embedded]', or set MLFLOW_TRACKING_URI"
    )
    await server.stop()


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    server = EmbeddedServer(None)

    await server.start(tmp_path / "file" / "home")
    await until(lambda: getattr(server.upstream(), "state", "") == "failed")

    absence = server.upstream()
    assert isinstance(absence, Unavailable)
    assert absence.reason.startswith("Not a directory: ")
    await server.stop()
