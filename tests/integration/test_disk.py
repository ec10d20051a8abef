"""A disk that is full, a folder that is read-only: a clear message, nothing lost, and on we go."""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.conftest import CountingServer, Project

_DROP_FROM_BOUNDING_SET, _OVERRIDE_PERMISSIONS = 24, 1  # linux/prctl.h, linux/capability.h


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 400 KiB; where that is not allowed, the test is skipped."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run(project: Project, *args: str, limit_bytes: int | None = None) -> tuple[int, str]:
    """Run here without the power over permissions; return the exit code and what was said."""

    def restrict() -> None:
        ctypes.CDLL(None).prctl(_DROP_FROM_BOUNDING_SET, _OVERRIDE_PERMISSIONS, 0, 0, 0)
        if limit_bytes is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    done = subprocess.run(
        [sys.executable, "-c", "from llmeval_core.cli import main; main()", *args],
        cwd=project.folder,
        preexec_fn=restrict,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def n_whole_samples(journal: Path) -> int:
    """Check that the journal is whole, and count its samples."""
    with closing(sqlite3.connect(journal)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (n,) = connection.execute(
            "SELECT count(*) FROM samples JOIN generations ON fingerprint = generation"
        ).fetchone()
        return int(n)


def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(
    tmp_path: Path, server: CountingServer, small_disk: Path
) -> None:
    server.latency_s = 0.002
    project = Project(tmp_path, server.url, 1500)
    home = small_disk / "home"

    code, err = run(project, "run", "eval.yaml", "--quiet", "--home", str(home))
    again = run(project, "run", "eval.yaml", "--quiet", "--home", str(home))

    assert code == 2
    assert err == (
        "error: the journal failed: database or disk is full\n"
        f"  where: {home / 'journal.sqlite'}\n"
        "  try:   free some disk space and give the same command again; what is committed is kept\n"
    )
    assert again == (code, err)

    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    kept = n_whole_samples(home / "journal.sqlite")
    asked = server.asked.total()
    assert kept > 0
    assert run(project, "run", "eval.yaml", "--quiet", "--home", str(home)) == (0, "")
    assert server.asked.total() - asked == 1500 - kept
    assert n_whole_samples(home / "journal.sqlite") == 1500


def test_a_file_that_may_not_grow_is_told_and_nothing_is_corrupted(
    project: Project, server: CountingServer
) -> None:
    journal = project.folder / ".llmeval" / "journal.sqlite"

    code, err = run(project, "run", "eval.yaml", "--quiet", limit_bytes=150_000)

    assert code == 2
    assert err.startswith("error: the journal failed: ")
    assert "  where: .llmeval/journal.sqlite\n" in err
    assert "Traceback" not in err
    kept = n_whole_samples(journal)
    asked = server.asked.total()
    assert run(project, "run", "eval.yaml", "--quiet") == (0, "")
    assert server.asked.total() - asked == 300 - kept


def test_a_disk_that_is_full_from_the_start_is_told(
    tmp_path: Path, server: CountingServer, small_disk: Path
) -> None:
    project = Project(tmp_path, server.url, 10)
    with contextlib.suppress(OSError), (small_disk / "film").open("wb", buffering=0) as film:
        while True:
            film.write(bytes(4096))

    code, err = run(project, "run", "eval.yaml", "--quiet", "--home", str(small_disk / "home"))

    assert code == 2
    assert "free some disk space" in err
    assert server.asked.total() == 0


def test_a_read_only_journal_is_told_and_can_be_read(
    project: Project, server: CountingServer
) -> None:
    """Case h2-journal-only-readable."""
    project.finish(project.start())
    home = project.folder / ".llmeval"
    for path in (*home.glob("journal*"), home):
        path.chmod(0o555)

    asked = server.asked.total()

    code, err = run(project, "run", "eval.yaml", "--limit", "5", "--quiet")
    read = run(project, "results")

    home.chmod(0o755)
    assert code == 2
    assert err == (
        "error: the journal cannot be written: '.llmeval' is protected against it\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   make the folder writable, or choose another with --home DIR; commands that only"
        " read work as it is\n"
    )
    assert read == (0, "")
    assert server.asked.total() == asked


def test_a_read_only_project_is_told_before_anything_is_asked(
    project: Project, server: CountingServer
) -> None:
    project.folder.chmod(0o555)

    code, err = run(project, "run", "eval.yaml", "--quiet")

    project.folder.chmod(0o755)
    assert code == 2
    assert err == (
        "error: the journal failed: [Errno 13] Permission denied: '.llmeval'\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   make the folder writable, or choose another with --home DIR\n"
    )
    assert server.asked.total() == 0
    assert {path.name for path in project.folder.iterdir()} == {"data.jsonl", "eval.yaml"}


def test_a_journal_of_a_newer_version_is_left_alone(
    project: Project, server: CountingServer
) -> None:
    project.finish(project.start())
    journal = project.folder / ".llmeval" / "journal.sqlite"
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA user_version=99")

    code, err = run(project, "run", "eval.yaml", "--quiet", "--shots", "1")

    assert code == 2
    assert err == (
        "error: the journal has version 99, this llmeval knows 7\n"
        "  where: .llmeval/journal.sqlite\n"
        "  try:   upgrade llmeval-core, or choose another folder with --home DIR\n"
    )
    assert server.asked.total() == 300
    assert n_whole_samples(journal) == 300
