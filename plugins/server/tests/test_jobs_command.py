"""`llmeval jobs`: from a terminal to a real server with a real worker, and back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llmeval_server.commands.job_commands.job_report import exit_code
from llmeval_server.jobs.job_records import Job, JobOutcome

from llmeval_core.cli import main
from plugins.server.tests.api_fixtures import Serve
from plugins.server.tests.server_processes import ServerProcesses, kill, wait_until
from plugins.server.tests.test_serve_processes import start

_LLMEVAL = [sys.executable, "-P", "-c", "from llmeval_core.cli import main; main()"]
TOKEN = "a-token-of-the-tests"


Jobs = Callable[..., tuple[str, str]]


@pytest.fixture
def jobs(
    processes: ServerProcesses, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Jobs:
    """Give a function that runs `llmeval jobs ARGS` here: what it printed, and its errors."""
    monkeypatch.chdir(processes.folder)

    def run(url: str, *args: str, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as left:
            main(["jobs", *args, "--server", url])
        said = capsys.readouterr()
        assert (left.value.code or 0) == code, said
        return said.out, said.err

    return run


def write_run(processes: ServerProcesses, n: int, **options: Any) -> Path:
    path = processes.folder / "eval.json"
    path.write_text(json.dumps(processes.run_file(n, **options)))
    return path


def test_a_job_is_submitted_followed_shown_and_its_log_read(
    processes: ServerProcesses, jobs: Jobs
) -> None:
    _, url = start(processes)
    run = str(write_run(processes, 8))

    out, err = jobs(url, "submit", run, "--follow", "--name", "mine", code=0)
    listed = json.loads(jobs(url, "list", "--json")[0])
    (job,) = listed["jobs"]
    shown, _ = jobs(url, "show", job["id"])
    logged, _ = jobs(url, "logs", job["id"], "--follow")
    table, _ = jobs(url, "list")
    again, _ = jobs(url, "retry", job["id"], "--follow", "--json")

    assert "8 samples, 8 requests, 0 failed" in out
    assert "sums_0shot_right" in out
    assert f"job {job['id']} (mine): succeeded" in err
    assert f"job {job['id']} (mine): succeeded\n  submitted " in shown
    assert "8 samples, 8 requests, " in logged
    assert job["id"] in table
    assert json.loads(again)["attempt"] == 2
    assert json.loads(again)["outcome"]["n_requests"] == 0


def test_ctrl_c_only_stops_watching_and_a_killed_server_is_waited_for(
    processes: ServerProcesses, jobs: Jobs
) -> None:
    server, url = start(processes)
    run = str(write_run(processes, 400, latency_s=0.05))
    job_id = json.loads(jobs(url, "submit", run, "--json")[0])["id"]
    with subprocess.Popen(
        [*_LLMEVAL, "jobs", "show", job_id, "--follow", "--server", url],
        cwd=processes.folder,
        env=processes.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as watching:
        assert watching.stderr is not None
        assert job_id in watching.stderr.readline()

        kill(server)
        assert any("trying again" in line for line in watching.stderr)
        _, url_again = start(processes, "--port", url.rstrip("/").rpartition(":")[2])
        watching.send_signal(signal.SIGINT)
        rest = watching.stderr.read()
        assert watching.wait(timeout=60) == 130
    state = json.loads(jobs(url_again, "show", job_id, "--json")[0])["state"]
    cancelled, _ = jobs(url_again, "cancel", job_id, job_id)

    assert "stopped watching; the job goes on" in rest
    assert state in ("queued", "running")
    assert cancelled.startswith(f"job {job_id}")
    store = processes.store()
    wait_until(lambda: store.get(job_id).is_over, "the cancelled job's end")
    assert store.get(job_id).state == "cancelled"


def test_flags_win_over_the_run_file(processes: ServerProcesses, jobs: Jobs, serve: Serve) -> None:
    server = serve()
    (processes.folder / "eval.yaml").write_text(
        "models: [echo/parrot]\ntasks:\n  - dataset: jsonl:sums.jsonl\n"
    )

    out, _ = jobs(server.url, "submit", "eval.yaml", "--limit", "3", "-m", "echo/other", "--json")
    flags, _ = jobs(
        server.url, "submit", "-m", "echo/b", "-d", "jsonl:sums.jsonl", "--key", "k", "--json"
    )
    again, _ = jobs(server.url, "submit", "-m", "echo/b", "-d", "jsonl:sums.jsonl", "--key", "k")

    assert json.loads(out)["run"]["limit"] == 3
    assert json.loads(out)["run"]["models"] == [{"name": "echo/other"}]
    assert json.loads(flags)["id"] in again


def test_what_the_server_refuses_is_told_with_its_line(
    processes: ServerProcesses, jobs: Jobs, serve: Serve
) -> None:
    server = serve()
    (processes.folder / "eval.yaml").write_text(
        "models: [echo/parrot]\ntasks:\n  - dataset: jsonl:/etc/passwd\n"
    )

    _, err = jobs(server.url, "submit", "eval.yaml", code=2)
    _, unknown = jobs(server.url, "show", "0" * 20, code=2)
    _, missing = jobs(server.url, "submit", "nothing.yaml", code=2)
    _, key = jobs(server.url, "submit", "eval.yaml", "--key", "a b", code=2)

    assert err.startswith(
        "error: a job may not name '/etc/passwd'\n  where: run file:3, tasks[0].dataset.path\n"
    )
    assert f"error: there is no job '{'0' * 20}'" in unknown
    assert missing.startswith("error: cannot read the run file: No such file")
    assert key == "error: a key is ASCII text without spaces\n  where: --key\n"


def test_a_token_is_asked_for_and_sent(
    processes: ServerProcesses, jobs: Jobs, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(token=TOKEN)
    monkeypatch.delenv("LLMEVAL_TOKEN", raising=False)

    _, without = jobs(server.url, "list", code=2)
    monkeypatch.setenv("LLMEVAL_TOKEN", "wrong")
    _, wrong = jobs(server.url, "list", code=2)
    monkeypatch.setenv("LLMEVAL_TOKEN", TOKEN)
    right, _ = jobs(server.url, "list")
    (processes.folder / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("LLMEVAL_TOKEN", "wrong")
    by_file, _ = jobs(server.url, "list", "--token-file", "token")

    assert without == (
        "error: the server wants a token\n"
        f"  where: {server.url}\n"
        "  try:   set LLMEVAL_TOKEN to the server's token, or name its file with --token-file\n"
    )
    assert wrong.startswith("error: the token is wrong\n")
    assert "0 of 0" in right
    assert "0 of 0" in by_file


def test_a_server_that_is_not_there_or_not_ours_is_told(jobs: Jobs, serve: Serve) -> None:
    server = serve()

    _, gone = jobs("http://127.0.0.1:9", "list", code=2)
    _, no_url = jobs("127.0.0.1:8001", "list", code=2)
    _, other = jobs(f"{server.url}/elsewhere", "list", code=2)

    assert gone == (
        "error: the server does not answer: connection refused\n"
        "  where: http://127.0.0.1:9\n"
        "  try:   is `llmeval serve` running? --server or LLMEVAL_SERVER names another address\n"
    )
    assert no_url.startswith("error: '127.0.0.1:8001' is no address of a server\n")
    assert other.startswith(
        "error: what answers there is no llmeval server that we know how to speak to\n"
    )


@pytest.mark.parametrize(
    ("state", "n_failed", "n_undelivered", "code"),
    [
        ("succeeded", 0, 0, 0),
        ("succeeded", 1, 0, 1),
        ("succeeded", 0, 2, 1),
        ("failed", 0, 0, 2),
        ("cancelled", 0, 0, 130),
    ],
)
def test_exit_codes_are_those_of_run(
    state: Any, n_failed: int, n_undelivered: int, code: int
) -> None:
    outcome = JobOutcome(
        n_samples=5,
        n_failed=n_failed,
        n_requests=5,
        n_unfinished=0,
        n_undelivered=n_undelivered,
        elapsed_s=1.0,
        results=(),
    )

    job = Job(id="x", name="x", state=state, run={}, submitted_at=0.0, outcome=outcome)

    assert exit_code(job) == code


def test_a_misspelt_command_is_told_with_the_one_that_is_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["jobs", "sumbit"])

    assert capsys.readouterr().err.endswith(
        "Error: No such command 'sumbit'. Did you mean 'submit'?\n"
    )
