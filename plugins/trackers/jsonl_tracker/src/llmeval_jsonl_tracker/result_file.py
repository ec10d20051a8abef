"""A file of results that several processes append to: no line torn, none twice."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

from filelock import FileLock

_BEGINNING = b'{"id":"'
"""How each of our lines begins."""
_OURS = frozenset({"id", "model", "task", "task_fingerprint"})
_LONGEST_LINE = 1 << 24


def foreign_problem(path: Path) -> OSError | None:
    """Say why nothing should be appended to what is there; None if it is a file of results.

    A file of somebody else's would be spoilt by our lines, and a device can be read for ever.
    What a crash left of a first line counts as ours.
    """
    try:
        if not path.exists() or path.is_dir():
            return None  # writing will say it
        if not path.is_file():
            return OSError(errno.EINVAL, "it is not a regular file", str(path))
        with path.open("rb") as file:
            first = file.readline(_LONGEST_LINE)
    except OSError as err:
        return err
    if not first.strip() or _is_ours(first):
        return None
    return OSError(errno.EEXIST, "it has something else than results in it", str(path))


def _is_ours(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except ValueError:
        return line[: len(_BEGINNING)] == _BEGINNING[: len(line.rstrip())]
    return isinstance(found, dict) and found.keys() >= _OURS


class ResultFile:
    """One line of JSON per result, found again by its `id`.

    Args:
        path: the file; it and its folder are made by the first `append`.
        lock_wait_s: longest wait for another writer, seconds.
    """

    def __init__(self, path: Path, *, lock_wait_s: float = 30.0) -> None:
        self.path = path
        self._lock = FileLock(f"{path}.lock", timeout=lock_wait_s)
        self._ids: set[str] = set()
        self._n_read = 0

    def append(self, result_id: str, line: str) -> bool:
        """Append a line and return True; False if the file has this id already.

        The line is on the disk when this returns. It is written under a lock and in one call;
        what a crash left of a last line is closed with a newline, so that it can harm no other.

        Raises:
            OSError: the file or its folder cannot be written.
            filelock.Timeout: another writer has held the lock for too long.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                is_torn = self._read_on(descriptor)
                if result_id in self._ids:
                    return False
                data = f"{chr(10) if is_torn else ''}{line}\n".encode()
                _write(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return True

    def _read_on(self, descriptor: int) -> bool:
        """Learn the ids of what was appended since the last look; return whether the end is torn.

        A file that became shorter, because somebody cut or replaced it, is read from its start.
        """
        size = os.fstat(descriptor).st_size
        if size < self._n_read:
            self._ids.clear()
            self._n_read = 0
        is_torn = False
        with os.fdopen(os.dup(descriptor), "rb") as file:
            file.seek(self._n_read)
            for line in file:
                is_torn = not line.endswith(b"\n")
                self._n_read += 0 if is_torn else len(line)
                self._ids |= _id_in(line)
        return is_torn


def _write(descriptor: int, data: bytes) -> None:
    """Write in one call; when a full disk lets only a part through, take that part back."""
    n_written = os.write(descriptor, data)
    if n_written != len(data):
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - n_written)
        raise OSError(f"only {n_written} of {len(data)} bytes could be written")


def _id_in(line: bytes) -> set[str]:
    """Return the line's id; nothing if the line is not one of ours."""
    try:
        found = json.loads(line).get("id")
    except (ValueError, AttributeError):
        return set()
    return {found} if isinstance(found, str) else set()
