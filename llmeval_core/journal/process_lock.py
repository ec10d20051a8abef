"""A lock between processes that is cheap enough for each of thousands of tasks.

It is an advisory lock (`flock`) on a file of its own. `filelock` does the same, in a tenth of a
millisecond and more; it is used where there is no `flock`: on Windows, and on some file systems.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout

_NO_FLOCK = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})


class ProcessLock:
    """A lock that is held; release it. It is free too when the process dies.

    Args:
        held: an open file that is locked, or a lock of `filelock`.
    """

    def __init__(self, held: int | FileLock) -> None:
        self._held: int | FileLock | None = held

    def release(self) -> None:
        """Let others have it; does nothing the second time."""
        held, self._held = self._held, None
        if isinstance(held, int):
            _unlock(held)
        elif held is not None:
            held.release()

    def __del__(self) -> None:
        self.release()


def try_process_lock(path: Path) -> ProcessLock | None:
    """Take the lock of this file, which is made if it is not there; None if another has it.

    Raises:
        OSError: the file cannot be opened for writing.
    """
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  not on every system

        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        except OSError as err:
            os.close(file)
            if err.errno not in _NO_FLOCK:
                raise
        else:
            return ProcessLock(file)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return ProcessLock(lock)


def _unlock(file: int) -> None:
    """Unlock before closing: a child that was forked meanwhile has the file open too."""
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415  not on every system

        fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)
