"""Whether the journal's file is still the one that was opened.

SQLite goes on writing to a file that was deleted, and a new connection makes an empty one in its
place: a run would ask and pay for hours, and keep nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from llmeval_core.errors import JournalError

_DELETION_S = 0.5


class FilePresence:
    """Remembers which file is at a path; the file must be there.

    Args:
        path: the file.
        shown_path: what errors call it.

    Raises:
        OSError: it is not.
    """

    def __init__(self, path: Path, *, shown_path: Path) -> None:
        self._path = path
        self._shown_path = shown_path
        self._file = _identity(path)

    def check(self) -> None:
        """Check that the same file is there.

        Raises:
            JournalError: as `problem`.
        """
        problem = self.problem()
        if problem is not None:
            raise problem

    def cause_of(self, err: Exception) -> JournalError | None:
        """Return why the file is not there, if that caused an error; None if it is there.

        When a folder is deleted, SQLite's log may disappear a moment before the file does.
        """
        give_up_at = time.monotonic() + _DELETION_S
        while (problem := self.problem()) is None and "I/O error" in str(err):
            if time.monotonic() > give_up_at:
                break
            time.sleep(_DELETION_S / 20)
        return problem

    def problem(self) -> JournalError | None:
        """Say that it was deleted, moved or replaced, or cannot be reached; None if it is there."""
        try:
            if _identity(self._path) == self._file:
                return None
            what = "the journal was replaced by another file while it was in use"
        except (FileNotFoundError, NotADirectoryError):
            what = "the journal is gone: it was deleted or moved while it was in use"
        except OSError as err:
            what = f"the journal cannot be reached any more: {err.strerror}"
        return JournalError(
            what,
            where=str(self._shown_path),
            hint="put it back if it was moved, and give the same command again; what was deleted "
            "is asked again",
        )


def _identity(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino
