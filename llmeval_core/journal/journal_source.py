"""How a journal is opened that need only be read: as it lies there, or as a copy.

In this order, what works first:

1. for reading and writing, as a run does, if we may write it: an older journal is then upgraded;
2. read-only together with its index (`-shm`), so that commits of a run that is under way are seen;
3. as a file that nobody changes, if no log lies beside it: a read-only folder, a backup;
4. a copy in a temporary folder: a log without its index, or an older version, which is upgraded
   there.

We never make an index beside a journal that another user owns: that user could not write it, and
so could not write the journal any more.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.connecting import connect, connect_readonly, use_log
from llmeval_core.journal.file_access import (
    has_log,
    logs,
    may_write,
    refuse_unreadable,
)
from llmeval_core.journal.migrations import is_current, prepare, refuse_newer, version_of

_COPY_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class JournalSource:
    """Where connections to a journal lead.

    Args:
        path: the file; a copy of it if there is `scratch`.
        query: how SQLite opens it for reading only, `mode=ro` and the like; None for writing too.
        scratch: the folder of the copy.
    """

    path: Path
    query: str | None = None
    scratch: tempfile.TemporaryDirectory[str] | None = None

    def connect(self) -> sqlite3.Connection:
        """Open a connection.

        Raises:
            sqlite3.Error: that does not work.
        """
        if self.query is None:
            return connect(self.path)
        return connect_readonly(self.path, self.query)

    def close(self) -> None:
        """Delete the copy, if it is one."""
        if self.scratch is not None:
            self.scratch.cleanup()


Opened = tuple[JournalSource, sqlite3.Connection]


def open_for_writing(path: Path) -> Opened:
    """Make or upgrade a journal that is to be written.

    Raises:
        sqlite3.Error, OSError: that does not work.
        JournalError: it is of a newer version.
    """
    source = JournalSource(path.absolute())  # a plugin may change the folder
    connection = source.connect()
    try:
        use_log(connection)
        prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return source, connection


def open_for_reading(path: Path) -> Opened:
    """Find a way to read a journal that is there; see the module.

    Raises:
        sqlite3.Error, OSError: there is none.
        JournalError: we may not read it, or it is of a newer version.
    """
    refuse_unreadable(path)
    if may_write(path):
        with suppress(sqlite3.OperationalError):  # a full disk, say: reading may still do
            return open_for_writing(path)
    for source in _read_only(path):
        with suppress(sqlite3.OperationalError):
            connection = source.connect()
            try:
                version = version_of(connection)
                refuse_newer(version, path)
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            except BaseException:
                connection.close()
                raise
            if is_current(connection, version):
                return source, connection
            connection.close()
            break
    return _open_copy(path)


def _read_only(path: Path) -> list[JournalSource]:
    """List the ways to read it where it lies."""
    path = path.absolute()
    sources = []
    if may_write(path) or Path(f"{path}-shm").exists():
        sources.append(JournalSource(path, "mode=ro"))
    if not has_log(path):
        sources.append(JournalSource(path, "mode=ro&immutable=1"))
    return sources


def _open_copy(path: Path) -> Opened:
    """Copy a journal and upgrade the copy; a writer that is at it meanwhile makes us begin again.

    Raises:
        JournalError: it never stood still.
    """
    scratch = tempfile.TemporaryDirectory(prefix="llmeval-journal-")
    try:
        copy = Path(scratch.name) / path.name
        for _ in range(_COPY_ATTEMPTS):
            before = _state(path)
            shutil.copyfile(path, copy)
            for log in logs(path):
                copied = Path(scratch.name) / log.name
                copied.unlink(missing_ok=True)
                if log.exists():
                    shutil.copyfile(log, copied)
            if _state(path) == before:
                source, connection = open_for_writing(copy)
                return replace(source, scratch=scratch), connection
        raise JournalError(
            "the journal is being written all the time, and can only be read as a copy",
            where=str(path),
            hint="try again when the run is over",
        )
    except BaseException:
        scratch.cleanup()
        raise


def _state(path: Path) -> list[tuple[int, int] | None]:
    """Tell states of a journal apart: sizes and times of its files."""
    state: list[tuple[int, int] | None] = []
    for one in (path, *logs(path)):
        try:
            found = os.stat(one)
        except FileNotFoundError:
            state.append(None)
        else:
            state.append((found.st_size, found.st_mtime_ns))
    return state
