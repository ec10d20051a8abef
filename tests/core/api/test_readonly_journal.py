"""A journal that can only be read is read; what would write it says why it cannot, and whose it is.

Root may write anything, so the commands run in a process that gave this power up.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmeval_core.api import existing_journal
from llmeval_core.errors import JournalError
from llmeval_core.journal import DeliveryRepository, Journal, JournalQueries
from llmeval_core.journal.file_access import may_write

if TYPE_CHECKING:
    from tests.conftest import Llmeval, PluginFolder

STRANGER = 12345
"""A user that is not us."""

POWERLESS = """
import contextlib, ctypes, io, json, sys
for power in (1, 2, 3):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    ctypes.CDLL(None).prctl(24, power, 0, 0, 0)
import os
if "again" not in sys.argv[1]:
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[3], "again", sys.argv[2], ""])
from llmeval_core.cli import main
told = []
for args in json.loads(sys.argv[2]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(args)
        except SystemExit as left:
            told.append([left.code, out.getvalue(), err.getvalue()])
print(json.dumps(told))
"""

READING = (
    ["results", "--json"],
    ["samples", "capitals_0shot", "--json"],
    ["trackers", "status", "--json"],
    ["plan", "-m", "atlas/any", "-d", "capitals:3", "--json"],
)


def powerless(*commands: list[str], cwd: Path) -> list[Any]:
    """Run commands without root's powers; Any: exit code, output and errors of each."""
    # The powers that a process has itself go with exec, so that it starts itself again.
    done = subprocess.run(
        [sys.executable, "-c", POWERLESS, "first", json.dumps(commands), POWERLESS],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@contextmanager
def protected(home: Path, *, folder: int = 0o555, owner: int | None = None) -> Iterator[None]:
    """Take the permission to write away, or give everything to a stranger."""
    inside = list(home.iterdir())
    for path in (*inside, home):
        if owner is not None and os.geteuid() == 0:
            os.chown(path, owner, -1)
        path.chmod(folder if path.is_dir() else 0o444)
    before = {path.name: path.stat().st_size for path in home.iterdir()}
    try:
        yield
        assert {path.name: path.stat().st_size for path in home.iterdir()} == before
    finally:
        for path in (home, *home.iterdir()):
            path.chmod(0o755)


@pytest.fixture
def home(llmeval: Llmeval, plugin_folder: PluginFolder, work: Path) -> Path:
    """Make a journal with one result, delivered to a tracker."""
    plugin_folder.install("capitals")
    llmeval("run", "-m", "atlas/any", "-d", "capitals:3", "--tracker", "notebook", "--quiet")
    shutil.rmtree(work / ".llmeval" / "locks")
    return work / ".llmeval"


def assert_read(told: list[Any]) -> None:
    """Check what the reading commands say of the journal of `home`; Any: see `powerless`."""
    assert [[code, errors] for code, _, errors in told] == [[0, ""]] * len(READING)
    board, samples, status, plan = (output for _, output, _ in told)
    assert json.loads(board)[0]["key"] == "capitals_0shot_exact"
    assert len(samples.splitlines()) == 3
    assert json.loads(status)[0]["n_delivered"] == 1
    assert json.loads(plan)["preview"][0]["n_answered"] == 3


@pytest.mark.parametrize(
    ("folder", "owner"),
    [(0o555, None), (0o755, None), (0o555, STRANGER), (0o755, STRANGER), (0o777, STRANGER)],
    ids=["folder", "file", "stranger-folder", "stranger-file", "stranger-open-folder"],
)
def test_commands_that_read_do(folder: int, owner: int | None, home: Path) -> None:
    """Case h2-journal-only-readable: nothing is made beside a journal that is not ours."""
    with protected(home, folder=folder, owner=owner):
        told = powerless(*READING, cwd=home.parent)

    assert_read(told)


@pytest.mark.parametrize("owner", [None, STRANGER], ids=["mode", "stranger"])
def test_commands_that_write_say_before_anything_that_they_cannot(
    owner: int | None, home: Path
) -> None:
    """Case h2-journal-only-readable: the path, whose it is, what to try."""
    commands = [
        ["run", "-m", "parrot/any", "-d", "capitals:3", "--quiet"],
        ["sync"],
        ["trackers", "copy", "notebook"],
    ]
    with protected(home, owner=owner):
        told = powerless(*commands, cwd=home.parent)

    reason = "is protected against it"
    if owner is not None and os.geteuid() == 0:
        reason = f"belongs to user {owner}, and this is 'root'"
    assert told == [
        [
            2,
            "",
            f"error: the journal cannot be written: '.llmeval' {reason}\n"
            "  where: .llmeval/journal.sqlite\n"
            "  try:   make the folder writable, or choose another with --home DIR; commands that"
            " only read work as it is\n",
        ]
    ] * len(commands)


def test_a_file_system_that_can_only_be_read_is_named(home: Path, tmp_path: Path) -> None:
    """Case h2-journal-only-readable: a read-only mount."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    subprocess.run(["mount", "--bind", str(home), str(mounted)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(mounted)], check=True)
        reading = [[*command, "--home", str(mounted)] for command in READING]
        told = powerless(*reading, ["sync", "--home", str(mounted)], cwd=home.parent)
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)

    assert_read(told[:-1])
    assert told[-1][2].startswith(
        f"error: the journal cannot be written: '{mounted}' is on a file system that can only be"
        " read\n"
    )


def n_results(home: Path) -> int:
    with Journal(home, reading=True) as journal:
        return journal.read(JournalQueries.n_results)


def test_a_backup_with_a_log_is_read_with_what_the_log_has(home: Path, tmp_path: Path) -> None:
    """Case h2-journal-only-readable: a copy that was made while a run was under way."""
    backup = tmp_path / "backup"
    backup.mkdir()
    with Journal(home) as journal, journal.reader() as reader:
        (result,) = reader.results()
        journal.deliveries(DeliveryRepository.save, result.model_copy(update={"id": "later"}), ())
        for name in ("journal.sqlite", "journal.sqlite-wal"):
            shutil.copyfile(home / name, backup / name)
    later = [["results", "--json", "--home", str(backup)], ["samples", "capitals_0shot"]]

    with protected(backup):
        told = powerless(*later, cwd=home.parent)

    assert [code for code, _, _ in told] == [0, 0]
    assert n_results(backup) == 2


def test_a_file_beside_a_journal_that_comes_and_goes_is_not_taken_for_protected(
    tmp_path: Path,
) -> None:
    path, beside = tmp_path / "journal.sqlite", tmp_path / "journal.sqlite-shm"
    path.touch()
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            beside.touch()
            beside.unlink()

    with ThreadPoolExecutor() as pool:
        pool.submit(come_and_go)
        try:
            allowed = [may_write(path) for _ in range(10_000)]
        finally:
            ended.set()

    assert all(allowed)


def test_a_run_under_way_is_read_by_who_may_not_write(home: Path) -> None:
    with Journal(home) as journal, journal.reader() as reader:
        (result,) = reader.results()
        other = result.model_copy(update={"id": "later", "model": "atlas/later"})
        journal.deliveries(DeliveryRepository.save, other, ())
        assert (home / "journal.sqlite-wal").stat().st_size > 0
        with protected(home):
            told = powerless(["results", "--json"], cwd=home.parent)

    assert {cell["model"] for cell in json.loads(told[0][1])} == {"atlas/any", "atlas/later"}


def test_a_writer_that_holds_the_journal_does_not_keep_readers_out(
    home: Path, llmeval: Llmeval
) -> None:
    with closing(sqlite3.connect(home / "journal.sqlite", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        told = [llmeval(*command) for command in READING]
        writer.execute("ROLLBACK")

    assert_read([[one.exit_code, one.stdout, one.stderr] for one in told])


def test_an_older_journal_that_cannot_be_upgraded_is_read_as_a_copy(tmp_path: Path) -> None:
    """Case h2-journal-only-readable: of an earlier version."""
    home = tmp_path / "old"
    home.mkdir()
    script = Path(__file__).parents[1] / "journal" / "journals" / "version_3.sql"
    with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
        connection.executescript(script.read_text(encoding="utf-8"))
    expected = n_results(shutil.copytree(home, tmp_path / "upgraded"))

    with protected(home):
        told = powerless(["results", "--json", "--home", str(home)], cwd=tmp_path)

    assert expected > 0
    assert told[0][0] == 0
    assert json.loads(told[0][1])
    with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)


@pytest.mark.parametrize("how", ["vacuum", "empty", "no tables"])
def test_other_ways_to_come_by_a_file_are_read_too(how: str, home: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    file = backup / "journal.sqlite"
    if how == "vacuum":
        with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
    elif how == "empty":
        file.touch()
    else:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")

    with protected(backup):
        told = powerless(["results", "--home", str(backup)], cwd=home.parent)

    assert told[0][0] == 0
    assert ("0.667" if how == "vacuum" else "no results yet") in told[0][1]


@pytest.mark.parametrize("what", ["unreadable", "hidden", "a folder", "a pipe", "no database"])
def test_what_cannot_be_read_is_a_clear_error(what: str, home: Path) -> None:
    file = home / "journal.sqlite"
    if what == "unreadable":
        file.chmod(0)
    elif what == "hidden":
        home.chmod(0)
    else:
        file.unlink()
        if what == "a folder":
            file.mkdir()
        elif what == "a pipe":
            os.mkfifo(file)
        else:
            file.write_text("not a database " * 99, encoding="utf-8")

    told = powerless(["results"], ["plan", *READING[3][1:]], cwd=home.parent)

    home.chmod(0o755)
    for code, output, errors in told:
        assert (code, output) == (2, "")
        assert errors.startswith("error: the journal ")
        assert "  where: .llmeval/journal.sqlite\n  try:   " in errors


def test_a_journal_that_is_opened_for_reading_is_not_written(home: Path) -> None:
    with protected(home), existing_journal(home) as journal:
        assert journal.read(JournalQueries.n_results) == 1
    file = home / "journal.sqlite"
    file.chmod(0o444)
    script = (
        "from pathlib import Path\nimport sys\n"
        "from llmeval_core.journal import *\n"
        "from llmeval_core.errors import JournalError\n"
        "with Journal(Path(sys.argv[1]), reading=True) as journal:\n"
        "    try:\n"
        "        journal.deliveries(DeliveryRepository.remember_plan, 'f', {})\n"
        "    except JournalError as err:\n"
        "        print(err.what)\n"
    )
    prefix = "import ctypes, os, sys\nctypes.CDLL(None).prctl(24, 1, 0, 0, 0)\n"
    prefix += "os.execv(sys.executable, [sys.executable, '-c', *sys.argv[1:]])"

    done = subprocess.run(
        [sys.executable, "-c", prefix, script, str(home)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "the journal failed: attempt to write a readonly database\n"


def test_a_journal_of_a_newer_version_is_refused_however_it_is_opened(home: Path) -> None:
    with closing(sqlite3.connect(home / "journal.sqlite")) as connection:
        connection.execute("PRAGMA user_version=99")

    for reading in (True, False):
        with pytest.raises(JournalError, match="the journal has version 99"):
            Journal(home, reading=reading)
