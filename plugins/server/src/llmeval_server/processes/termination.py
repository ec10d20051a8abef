"""Terminates the process of a server or worker in bounded time, with all that it started."""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import signal
import subprocess
import sys
from types import TracebackType
from typing import NoReturn

from llmeval_core.support import descendants, kill_process_tree
from llmeval_server.processes import watchdog

GRACE_S = 9.0
"""How long a process may take to end after the first signal before it is killed, seconds."""
SECOND_GRACE_S = 3.0
"""How long it may take after the second signal, seconds."""


class TerminationWatchdog:
    """Kills this process if it does not end in time after a signal; a context manager.

    Enter it in the main thread. While it is active, no other wakeup descriptor may be set, as
    `loop.add_signal_handler` and uvloop do.

    Args:
        grace_s, second_grace_s: see `GRACE_S` and `SECOND_GRACE_S`.
    """

    def __init__(
        self,
        *,
        grace_s: float = GRACE_S,
        second_grace_s: float = SECOND_GRACE_S,
    ) -> None:
        self._limits = (str(grace_s), str(second_grace_s))
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._wakeup = -1

    def __enter__(self) -> TerminationWatchdog:
        if os.name != "posix":  # the watchdog cannot notice there that its parent has ended
            return self
        signals, self._wakeup = os.pipe()
        os.set_blocking(self._wakeup, False)
        support = inspect.getsourcefile(kill_process_tree)
        self._watchdog = subprocess.Popen(  # noqa: S603  our own command
            [
                *(sys.executable, "-I", "-S", watchdog.__file__, str(support)),
                *(str(os.getpid()), *self._limits),
            ],
            stdin=signals,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(signals)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watchdog is not None:
            signal.set_wakeup_fd(-1)
            os.close(self._wakeup)
            self._watchdog.kill()
            self._watchdog.wait()


def exit_now(code: int) -> NoReturn:
    """Exit at once, and kill all processes that this one started and that still run.

    A normal exit would wait for threads, those of plugins too, that may never end. Everything
    that matters must be on disk by now.
    """
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
