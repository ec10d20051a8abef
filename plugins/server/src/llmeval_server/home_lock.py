"""The lock of a home folder: one server and one worker a folder, and a file that names them."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Literal

from filelock import FileLock, Timeout

from llmeval_core.hooks import ConfigError


class HomeLock:
    """Locks a home folder for one server or one worker; a context manager.

    The operating system frees the lock when the process dies. The file `{role}.json` beside it
    names the holder.

    Args:
        home: the folder.
        role: what the folder is locked for.
        wait_s: how long to wait for another holder to end, seconds.

    Raises, on entering and `acquire`:
        ConfigError: another process holds the lock, or the folder cannot be written.
    """

    def __init__(
        self, home: Path, role: Literal["server", "worker"], *, wait_s: float = 0.0
    ) -> None:
        self._home = home
        self._role = role
        self._wait_s = wait_s
        self._lock = FileLock(home / f"{role}.lock", thread_local=False)
        self._holder_file = home / f"{role}.json"

    def __enter__(self) -> HomeLock:
        self.acquire()
        return self

    def acquire(self) -> None:
        """Take the lock; `release` may be registered before, for signals that come meanwhile."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=self._wait_s)
        except Timeout:
            raise ConfigError(
                f"this folder has a {self._role} already{self._holder()}",
                where=str(self._home),
                hint="use that one, or choose another folder with --home DIR",
            ) from None
        except OSError as err:
            raise ConfigError(
                f"the folder cannot be used: {err}",
                where=str(self._home),
                hint="make it writable, or choose another with --home DIR",
            ) from err
        self.write_holder(address=None)

    def write_holder(self, *, address: str | None) -> None:
        """Record this process as the holder, with its address once that is known."""
        holder = {
            "pid": os.getpid(),
            "machine": socket.gethostname(),
            "address": address,
            "since": time.time(),
        }
        try:
            self._holder_file.write_text(json.dumps(holder), encoding="utf-8")
        except OSError:
            self._holder_file.unlink(missing_ok=True)  # no holder is better than a wrong one

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._lock.is_locked:
            self._holder_file.unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        """Describe who holds the lock; empty if that is not known."""
        try:
            holder = json.loads(self._holder_file.read_text(encoding="utf-8"))
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
            place = f" at {holder['address']}" if holder["address"] else ""
            other = holder["machine"] != socket.gethostname()
            machine = f" on {holder['machine']}" if other else ""
            return f": process {holder['pid']}{machine}{place}, since {since}"
        except (OSError, ValueError, KeyError, TypeError):
            return ""
