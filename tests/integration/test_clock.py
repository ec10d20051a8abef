"""A system clock that is set back while a run works, and between two runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import CountingServer, Project

SetClock = Callable[[int], None]


@pytest.fixture
def set_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Give programs that a test starts a system clock of their own, to be set by so many hours."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert libraries, "these tests need libfaketime: apt-get install libfaketime"
    offset = tmp_path / "clock"

    def set_by(hours: int) -> None:
        written = tmp_path / "clock.new"
        written.write_text(f"{hours:+d}h")
        written.replace(offset)

    set_by(0)
    monkeypatch.setenv("LD_PRELOAD", str(libraries[0]))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    return set_by


def test_a_run_ends_as_if_nothing_had_been(
    project: Project, server: CountingServer, set_clock: SetClock
) -> None:
    running = project.start()
    server.wait_for(100)
    set_clock(-48)

    (result,) = project.finish(running)["results"]

    assert (result["n_samples"], result["n_failed"]) == (300, 0)
    assert result["metrics"][0]["aggregate"]["value"] == 258 / 300
    assert set(server.asked.values()) == {1}
    assert result["finished_at"] < result["started_at"]  # the clock was really set back


def test_the_next_run_finds_the_answers_and_its_result_is_the_one_that_counts(
    project: Project, server: CountingServer, set_clock: SetClock
) -> None:
    project.finish(project.start())
    set_clock(-48)
    rows = [{"input": f"question {i}", "output": f"question {i}"} for i in range(project.n)]
    (project.folder / "data.jsonl").write_text("\n".join(json.dumps(row) for row in rows))

    project.finish(project.start())

    (shown,) = leaderboard(project)
    assert shown["aggregate"]["value"] == 1.0
    assert server.asked.total() == 300


def leaderboard(project: Project) -> list[dict[str, Any]]:
    """Read what `llmeval results` shows; Any: JSON."""
    command = "from llmeval_core.cli import main; main()"
    printed = subprocess.run(
        [sys.executable, "-c", command, "results", "--json"],
        cwd=project.folder,
        capture_output=True,
        check=True,
        text=True,
    )
    shown: list[dict[str, Any]] = json.loads(printed.stdout)
    return shown
