"""kill -9 at any moment: what is committed stays, and is never asked again."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.integration.conftest import CountingServer, Project
from tests.integration.journal_reading import journal_rows

CONCURRENCY = 8
N_KILLS = int(os.environ.get("LLMEVAL_RUN_KILLS", "8"))
"""How often a run is killed; CI sets 50."""


def committed(folder: Path) -> set[str]:
    """Read which questions have an answer in the journal, as another process would."""
    rows = journal_rows(
        folder, "SELECT input FROM samples JOIN generations ON fingerprint = generation"
    )
    return {text for (text,) in rows}


def wait_for_requests(server: CountingServer, n: int) -> None:
    deadline = time.monotonic() + 30
    while server.asked.total() < n:
        assert time.monotonic() < deadline, "the run sends no requests"
        time.sleep(0.002)


def test_a_run_that_is_killed_again_and_again_ends_with_the_right_numbers(
    tmp_path: Path, server: CountingServer
) -> None:
    chance = random.Random(7)
    n_samples = 100 * N_KILLS  # a life of 0.2 s has time for at most 80
    (tmp_path / "killed").mkdir()
    project = Project(tmp_path / "killed", server.url, n_samples)
    known: set[str] = set()
    for _ in range(N_KILLS):
        before = server.asked.copy()
        process = project.start()
        wait_for_requests(server, server.asked.total() + 1)
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = committed(project.folder)
        assert known <= now
        assert not [question for question in known if server.asked[question] > before[question]]
        known = now
    printed = project.finish(project.start())

    (tmp_path / "undisturbed").mkdir()
    undisturbed = Project(tmp_path / "undisturbed", server.url, n_samples)
    (expected,) = undisturbed.finish(undisturbed.start())["results"]
    (result,) = printed["results"]
    assert result["n_samples"] == n_samples
    assert result["metrics"] == expected["metrics"]
    assert len(server.asked) == n_samples


def test_only_the_last_moment_is_lost(project: Project, server: CountingServer) -> None:
    server.latency_s = 0.05
    process = project.start()
    wait_for_requests(server, 200)

    process.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    process.communicate()

    lost = set(server.asked) - committed(project.folder)
    assert len(lost) < 100
    assert all(killed_at - server.came_at[question] < 0.6 for question in lost)


def test_a_finished_run_again_asks_nothing(project: Project, server: CountingServer) -> None:
    first = project.finish(project.start())
    asked = server.asked.total()

    second = project.finish(project.start())

    assert server.asked.total() == asked == 300
    assert second["results"] == first["results"]


def test_two_runs_at_once_share_the_work(project: Project, server: CountingServer) -> None:
    one, other = project.start(), project.start()

    results = [project.finish(one)["results"], project.finish(other)["results"]]

    assert set(server.asked.values()) == {1}
    assert results[0][0]["metrics"] == results[1][0]["metrics"]


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(
    project: Project, server: CountingServer
) -> None:
    process = project.start()
    wait_for_requests(server, 20)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert '"interrupted": true' in out
    assert "requests under way may finish" in err
    assert "Traceback" not in err
    asked = server.asked.total()
    assert asked == len(committed(project.folder))
    project.finish(project.start())
    assert set(server.asked.values()) == {1}


def test_a_second_ctrl_c_stops_at_once(project: Project, server: CountingServer) -> None:
    server.latency_s = 5.0
    process = project.start()
    wait_for_requests(server, CONCURRENCY)

    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "requests under way" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    started = time.monotonic()
    process.communicate(timeout=30)

    assert process.returncode == 130
    assert time.monotonic() - started < 3
