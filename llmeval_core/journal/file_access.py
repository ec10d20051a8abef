"""Whether we may read and write a journal, and the reason if we may not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.sqlite_errors import in_the_way

COMPANION_SUFFIXES = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database: commits on their way, an index of these, an undo log."""


_ACCESS_CHECKS = 20


def may_write(path: Path) -> bool:
    """Say whether we may write a journal that is there: the file, its folder, what is beside it."""
    return not _protected(path)


def refuse_protected(path: Path) -> None:
    """Say before anything is done that a journal cannot be written.

    Raises:
        JournalError: we may not write it; it says whose it is.
    """
    if not path.exists():
        return
    for one in _protected(path):
        raise JournalError(
            f"the journal cannot be written: {_reason(one)}",
            where=str(path),
            hint="make the folder writable, or choose another with --home DIR; commands that only"
            " read work as it is",
        )


def journal_exists(path: Path) -> bool:
    """Say whether there is a journal; a folder that we may not look into is an error.

    Raises:
        JournalError: that cannot be told, or what is there is no file.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        blocked = in_the_way(path, path.parent)
        if blocked is not None:
            raise blocked from None
        return False
    except OSError as err:
        raise _unreadable(path, err.strerror or str(err)) from err
    if stat.S_ISDIR(mode):
        raise JournalError(
            f"the journal cannot be read: '{path}' is a folder, and must be a file",
            where=str(path),
            hint="move it away, or choose another folder with --home DIR",
        )
    if not stat.S_ISREG(mode):
        raise _unreadable(path, f"'{path}' is no file")
    return True


def refuse_unreadable(path: Path) -> None:
    """Say that we may not read a journal.

    Raises:
        JournalError: we may not; it says whose it is.
    """
    for one in (path, *(_beside(path))):
        if not os.access(one, os.R_OK) and one.suffix != ".sqlite-shm" and one.exists():
            raise _unreadable(path, _reason(one))


def has_log(path: Path) -> bool:
    """Say whether there are commits beside the file, in a log that SQLite must read too."""
    return any(_size(one) > 0 for one in logs(path))


def logs(path: Path) -> list[Path]:
    """Name the files that a copy of a journal needs besides itself."""
    return [Path(f"{path}-wal"), Path(f"{path}-journal")]


def _size(path: Path) -> int:
    """Return the size of a file; 0 if it is not there, or gone meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _beside(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in COMPANION_SUFFIXES]


def _protected(path: Path) -> list[Path]:
    """Find what we may not write; the folder first, which explains most."""
    return [one for one in (path.parent, path, *_beside(path)) if _is_protected(one)]


def _is_protected(path: Path) -> bool:
    """Say whether a file is there that we may not write.

    What stands beside a journal comes and goes while others write, and `os.access` says the same of
    a file that is not there and of one that is protected: it has to say so each time it is asked.
    """
    return all(not os.access(path, os.W_OK) and path.exists() for _ in range(_ACCESS_CHECKS))


def _unreadable(path: Path, reason: str) -> JournalError:
    return JournalError(
        f"the journal cannot be read: {reason}",
        where=str(path),
        hint="ask its owner to let you read it, or name another folder with --home DIR",
    )


def _reason(path: Path) -> str:
    """Say why we may not: the file system, another owner, or its mode."""
    try:
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            return f"'{path}' is on a file system that can only be read"
        owner = path.stat().st_uid
    except OSError as err:
        return f"'{path}': {err.strerror}"
    if owner != os.geteuid():
        return f"'{path}' belongs to {_user(owner)}, and this is {_user(os.geteuid())}"
    return f"'{path}' is protected against it"


def _user(number: int) -> str:
    """Name a user, or give the number of one that has no name."""
    try:
        import pwd  # noqa: PLC0415  not on Windows

        return f"'{pwd.getpwuid(number).pw_name}'"
    except (ImportError, KeyError):
        return f"user {number}"
