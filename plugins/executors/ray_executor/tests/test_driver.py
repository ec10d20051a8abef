"""The whole command on a Ray of its own: killed, interrupted, resumed; what it leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import CountingServer, Project
from tests.integration.test_kill_and_resume import committed

KEY = "sk-nobody-may-see-this-4711"


@pytest.fixture
def server() -> Iterator[CountingServer]:
    """Serve while a test runs."""
    serving = CountingServer()
    yield serving
    serving.close()


@pytest.fixture
def project(tmp_path: Path, server: CountingServer) -> Project:
    """Make a project with 300 samples and a key."""
    project = Project(tmp_path, server.url, 300)
    run_file = tmp_path / "eval.yaml"
    text = run_file.read_text().replace("base_url", f"api_key: {KEY}, base_url")
    run_file.write_text(text + "executor: {use: ray, actors: 2}\n")
    return project


@pytest.fixture
def ray_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let Ray keep its logs in a folder of ours; its path must be short, for sockets lie in it."""
    folder = Path(tempfile.mkdtemp(prefix="r", dir="/tmp"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def start(project: Project, *options: str) -> subprocess.Popen[str]:
    """Start `llmeval run` in a session of its own, by which all its processes are known."""
    return subprocess.Popen(
        [sys.executable, "-c", "from llmeval_core.cli import main; main()", "run",
         "eval.yaml", "--json", *options],
        cwd=project.folder,
        env={**os.environ, "LLMEVAL_STRICT_PLUGINS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip


def command_lines(session: int) -> list[str]:
    """Read the command lines of the processes of a session, but for its leader."""
    lines = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            is_ours = int(after_name[3]) == session != int(folder.name) and after_name[0] != "Z"
            if is_ours:
                lines.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile
            continue
    return lines


def wait_until(true: Callable[[], bool], what: str, *, within_s: float = 120.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_killed_driver_resumes_and_asks_nothing_again_that_was_committed(
    project: Project, server: CountingServer, ray_folder: Path
) -> None:
    process = start(project)
    wait_until(lambda: server.asked.total() > 100, "the run sends no requests")
    shown = "\n".join(command_lines(process.pid))

    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_until(
        lambda: "ray::RayWorker" not in "\n".join(command_lines(process.pid)), "a worker lives"
    )
    known, before = committed(project.folder), server.asked.copy()
    out, err = start(project).communicate(timeout=200)

    assert "raylet" in shown
    assert 0 < len(known) < 300
    assert not [question for question in known if server.asked[question] > before[question]]
    assert len(server.asked) == 300
    assert server.asked.total() - 300 == len(set(before) - known)
    (result,) = json.loads(out)["results"]
    assert result["n_samples"] == 300, err
    assert result["metrics"][0]["aggregate"]["value"] == pytest.approx(258 / 300)
    assert KEY not in shown
    logs = [path for path in ray_folder.rglob("*") if path.is_file()]
    assert len(logs) > 10
    assert not [path for path in logs if KEY.encode() in path.read_bytes()]


def test_an_interrupted_run_keeps_what_it_has_and_leaves_no_process(
    project: Project, server: CountingServer, ray_folder: Path
) -> None:
    process = start(project)
    wait_until(lambda: server.asked.total() > 50, "the run sends no requests")

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)

    assert process.returncode == 130, err
    assert '"interrupted": true' in out
    assert set(server.asked) == committed(project.folder)
    wait_until(lambda: not command_lines(process.pid), "processes of Ray are left")


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_is_not_there_is_told_at_once(project: Project, scheme: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens
        address = f"{scheme}127.0.0.1:{nobody.getsockname()[1]}"

        out, err = start(project, "--executor", f"ray:{address}").communicate(timeout=60)

    assert f"the Ray cluster at '{address}' cannot be joined: ConnectionRefusedError" in out + err


def test_llama_cpp_loads_a_copy_in_each_worker(tmp_path: Path, ray_folder: Path) -> None:
    project = Project(tmp_path, "http://127.0.0.1:9/v1", 1)
    (tmp_path / "eval.yaml").write_text(
        "models: [{name: llamacpp/smollm2-135m-instruct, n_threads: 1, n_parallel: 1}]\n"
        "tasks: [{dataset: commonsense_qa}]\n"
        "limit: 8\n"
        "executor: {use: ray, actors: 2}\n"
    )
    process = start(project)

    wait_until(lambda: n_engines(ray_folder) == 2, "there are no two engines", within_s=200)
    out, err = process.communicate(timeout=300)

    assert process.returncode == 0, err
    assert json.loads(out)["results"][0]["n_samples"] == 8
    wait_until(lambda: not command_lines(process.pid), "processes are left")
    wait_until(lambda: not n_engines(ray_folder), "engines are left")


def n_engines(ray_folder: Path) -> int:
    """Count the engines of workers, which are known by the folder in their environment."""
    n = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            argv = (folder / "cmdline").read_bytes().split(b"\0")
            is_engine = argv[2:4] == [b"-m", b"llmeval_models.llamacpp.engine_main"]
            n += is_engine and str(ray_folder).encode() in (folder / "environ").read_bytes()
        except OSError:  # it ended meanwhile
            continue
    return n
