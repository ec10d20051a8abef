"""A folder's one server and one worker: a lock, and beside it who has it."""

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


class Claim:
    """Holds a folder for one server or one worker; the lock is freed too if the process dies.

    Args:
        home: the folder.
        role: for what.
        wait_s: how long another one may take to end, seconds.

    Raises, on entering:
        ConfigError: another one has the folder, or it cannot be written; says who.
    """

    def __init__(
        self, home: Path, role: Literal["server", "worker"], *, wait_s: float = 0.0
    ) -> None:
        self._home = home
        self._role = role
        self._wait_s = wait_s
        self._lock = FileLock(home / f"{role}.lock", thread_local=False)
        self._note = home / f"{role}.json"

    def __enter__(self) -> Claim:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=self._wait_s)
        except Timeout:
            raise ConfigError(
                f"this folder has a {self._role} already{self._who()}",
                where=str(self._home),
                hint="use that one, or choose another folder with --home DIR",
            ) from None
        except OSError as err:
            raise ConfigError(
                f"the folder cannot be used: {err}",
                where=str(self._home),
                hint="make it writable, or choose another with --home DIR",
            ) from err
        self.note(None)
        return self

    def note(self, address: str | None) -> None:
        """Write down who we are, and our address once it is known."""
        holder = {
            "pid": os.getpid(),
            "machine": socket.gethostname(),
            "address": address,
            "since": time.time(),
        }
        try:
            self._note.write_text(json.dumps(holder), encoding="utf-8")
        except OSError:
            self._note.unlink(missing_ok=True)  # better nobody than somebody of yesterday

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._note.unlink(missing_ok=True)
        self._lock.release()

    def _who(self) -> str:
        try:
            holder = json.loads(self._note.read_text(encoding="utf-8"))
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since"]))
            place = f" at {holder['address']}" if holder["address"] else ""
            other = holder["machine"] != socket.gethostname()
            machine = f" on {holder['machine']}" if other else ""
            return f": process {holder['pid']}{machine}{place}, since {since}"
        except (OSError, ValueError, KeyError, TypeError):
            return ""
