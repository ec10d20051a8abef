"""The log that server and worker share, and where settings come from."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from llmeval_server.home_lock import HomeLock
from llmeval_server.server_log import (
    LARGEST_BYTES,
    DeliveryLogFollower,
    SharedLogHandler,
    log_lines,
)
from llmeval_server.settings_sources import read_settings, variables_for_worker

from llmeval_core.hooks import ConfigError
from plugins.server.tests.server_processes import wait_until

_WRITER = """
import logging, sys
from pathlib import Path
from llmeval_server.server_log import start_logging
start_logging(Path(sys.argv[1]), sys.argv[2], lambda text: text.replace("hunter22", "***"))
for i in range(int(sys.argv[3])):
    logging.getLogger(sys.argv[4]).info("line %d of %s hunter22 %s", i, sys.argv[2], "x" * 200)
"""


def writer(home: Path, name: str, n: int, logger: str = "llmeval.server") -> subprocess.Popen[str]:
    """Start a process that logs so many lines."""
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(home), name, str(n), logger],
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_two_processes_write_one_log_without_losing_a_line(tmp_path: Path) -> None:
    both = [writer(tmp_path, name, 2000) for name in ("api", "worker")]

    assert [process.wait(120) for process in both] == [0, 0]
    lines = (tmp_path / "server.log").read_text().splitlines()
    assert len(lines) == 4000
    assert all(line.endswith("x" * 200) and "*** " in line for line in lines)


def test_a_large_log_begins_anew_for_both_processes(tmp_path: Path) -> None:
    (tmp_path / "server.log").write_bytes(b"old line\n" * (LARGEST_BYTES // 9 + 1))
    both = [writer(tmp_path, name, 200) for name in ("api", "worker")]

    assert [process.wait(120) for process in both] == [0, 0]
    assert (tmp_path / "server.log.1").read_text().startswith("old line\n")
    assert len((tmp_path / "server.log").read_text().splitlines()) + 1 >= 400
    assert len(log_lines(tmp_path, "LINE 7 OF")) == 2


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "server.log").mkdir()
    handler = SharedLogHandler(tmp_path / "server.log")

    handler.emit(logging.LogRecord("a", logging.INFO, "", 0, "text", (), None))

    handler.close()
    assert log_lines(tmp_path, "text") == []


def test_lines_of_deliveries_are_repeated_but_no_others_and_not_our_own(tmp_path: Path) -> None:
    received: list[str] = []
    lines = DeliveryLogFollower(tmp_path, "api", received.append)
    lines.start()

    writer(tmp_path, "worker", 2, "llmeval.server").wait(60)
    writer(tmp_path, "api", 2, "llmeval.delivery").wait(60)
    writer(tmp_path, "worker", 3, "llmeval.delivery").wait(60)

    wait_until(lambda: len(received) >= 3, "three lines")
    lines.stop()
    assert [line.partition(": ")[2][:16] for line in received] == [
        f"line {i} of worker" for i in range(3)
    ]


def test_flags_win_over_variables_and_variables_over_defaults(tmp_path: Path) -> None:
    settings = read_settings(
        {"port": "9000", "host": None, "data_folders": ()},
        environ={
            "LLMEVAL_PORT": "9001",
            "LLMEVAL_HOST": "::1",
            "LLMEVAL_DATA_FOLDERS": f"{tmp_path}, /data",
            "LLMEVAL_TOKEN": "",
        },
    )

    assert (settings.port, settings.host, settings.token) == (9000, "::1", None)
    assert settings.data_folders == (tmp_path, Path("/data"))
    assert settings.jobs_at_once == 1


def test_a_worker_gets_what_it_needs_and_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMEVAL_TOKEN", "a-secret-token")
    monkeypatch.setenv("OPENAI_API_KEY", "for-the-models")
    settings = read_settings(
        {"home": tmp_path, "jobs_at_once": "3"},
        environ={"LLMEVAL_JOBS_URL": "postgresql://h/d", **os.environ},
    )

    environ = variables_for_worker(settings)

    assert environ["LLMEVAL_HOME"] == str(tmp_path)
    assert environ["LLMEVAL_JOBS_AT_ONCE"] == "3"
    assert environ["LLMEVAL_JOBS_URL"] == "postgresql://h/d"
    assert environ["OPENAI_API_KEY"] == "for-the-models"
    assert "LLMEVAL_TOKEN" not in environ


def test_an_empty_token_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")

    with pytest.raises(ConfigError) as caught:
        read_settings({}, environ={"LLMEVAL_TOKEN_FILE": str(tmp_path / "token")})

    assert str(caught.value) == f"the token's file is empty\n  where: {tmp_path / 'token'}"


def test_a_claim_is_free_again_after_it_ended(tmp_path: Path) -> None:
    with HomeLock(tmp_path, "server") as lock:
        lock.write_holder(address="http://127.0.0.1:1/")
        with pytest.raises(ConfigError, match=f"process {os.getpid()} at http://127.0.0.1:1/"):
            HomeLock(tmp_path, "server").__enter__()
        with HomeLock(tmp_path, "worker"):
            pass

    with HomeLock(tmp_path, "server"):
        assert (tmp_path / "server.json").exists()
    assert not (tmp_path / "server.json").exists()


def test_a_folder_that_cannot_be_claimed_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="the folder cannot be used"):
        HomeLock(tmp_path / "file", "server").__enter__()
