"""What errors of SQLite and of the file system mean for the user."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.paths import file_in_the_way

_NOT_WRITABLE = (
    "readonly",
    "Permission",
    "Read-only",
    "unable to",
    "Not a dir",
    "File exists",
    "No such",
)


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with a hint where the cure is known."""
    try:
        yield
    except (sqlite3.Error, OSError) as err:
        raise journal_error(err, path) from err


def journal_error(err: Exception, path: Path) -> JournalError:
    """Say what an SQLite or file system error means for the user."""
    if isinstance(err, FileExistsError | NotADirectoryError):
        blocked = in_the_way(path, Path(err.filename) if err.filename else path.parent)
        if blocked is not None:
            return blocked
    text = str(err)
    hint = None
    if "full" in text or "No space" in text:
        hint = "free some disk space and give the same command again; what is committed is kept"
    elif "unable to open" in text and _is_out_of_files():
        hint = "raise the limit of open files with `ulimit -n`, or lower the concurrency"
    elif any(mark in text for mark in _NOT_WRITABLE):
        hint = "make the folder writable, or choose another with --home DIR"
    elif "locked" in text:
        hint = "another process holds the journal; wait for it, or choose another --home DIR"
    elif "not a database" in text or "malformed" in text:
        hint = "move the file away to begin a new journal"
    return JournalError(f"the journal failed: {text}", where=str(path), hint=hint)


def in_the_way(path: Path, folder: Path) -> JournalError | None:
    """Say that a file is where a folder must be; None if that is not so.

    Args:
        path: the journal.
        folder: what must be a folder, or can be made one.
    """
    file = file_in_the_way(folder)
    if file is None:
        return None
    return JournalError(
        f"'{file}' is a file, and must be a folder",
        where=str(path),
        hint="move it away, or choose another folder with --home DIR",
    )


def _is_out_of_files() -> bool:
    """Try to open a file; SQLite does not say why it could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as err:
        return err.errno in (errno.EMFILE, errno.ENFILE)
    return False
