"""Paths as people write them, and whether something could be written there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

DEFAULT_HOME = ".llmeval"
"""The project's folder, where the journal lies and what trackers keep."""
HOME_VARIABLE = "LLMEVAL_HOME"
"""The environment variable that names another."""


def expand_path(path: str | Path) -> Path:
    """Replace `$NAME`, `${NAME}` and a `~` at the beginning; what is not known stays as it is.

    A shell does this with the words of a command. An env file, a run file and the part of a flag
    after a `=` or a `:` never see a shell.
    """
    return Path(os.path.expanduser(os.path.expandvars(path)))


def folder_problem(folder: Path) -> OSError | None:
    """Say why nothing could be written in a folder, which need not be there yet; None if it could.

    Looks only; makes nothing.
    """
    try:
        missing = folder
        while not missing.exists() and not missing.parent.exists():
            missing = missing.parent
        nearest = folder if folder.exists() else missing.parent
        if not nearest.is_dir():
            return NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(missing))
        if not os.access(nearest, os.W_OK | os.X_OK):
            number = errno.EROFS if _is_read_only(nearest) else errno.EACCES
            return OSError(number, os.strerror(number), str(missing))
    except (OSError, ValueError) as err:  # a NUL in the path is a ValueError
        return err if isinstance(err, OSError) else OSError(errno.EINVAL, str(err), str(folder))
    return None


def file_in_the_way(folder: Path) -> Path | None:
    """Find what is no folder where a folder, or one that leads to it, is to be; None if nothing.

    Looks only; what cannot be looked at is not in the way.
    """
    for part in (folder, *folder.parents):
        try:
            if part.exists():
                return None if part.is_dir() else part
        except (OSError, ValueError):
            return None
    return None


def file_problem(file: Path) -> OSError | None:
    """Say why a file could not be made, or written again; None if it could. As `folder_problem`."""
    try:
        if file.is_dir():
            return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
        if file.exists() and not os.access(file, os.W_OK):
            return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    except (OSError, ValueError) as err:
        return err if isinstance(err, OSError) else OSError(errno.EINVAL, str(err), str(file))
    return None if file.exists() else folder_problem(file.parent)


def _is_read_only(folder: Path) -> bool:
    flags: int = os.statvfs(folder).f_flag if hasattr(os, "statvfs") else 0
    return bool(flags & getattr(os, "ST_RDONLY", 0))
