"""The end of a server's or worker's process: in bounded time, and nothing is left behind."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from llmeval_server.processes import watchdog

END_WITHIN_S = 9.0
"""How long a process that was told to end may take before it is killed, seconds."""
HURRY_S = 3.0
"""How long it may take after it was told a second time."""


class Watched:
    """Has this process killed if it does not end in time; a context manager, main thread only.

    Python must not be given another wakeup descriptor meanwhile, as `loop.add_signal_handler`
    and uvloop do.

    Args:
        lifeline: a pipe whose other end is closed when whoever needs us is gone; None for none.
        end_within_s, hurry_s: as above.
    """

    def __init__(
        self,
        *,
        lifeline: int | None = None,
        end_within_s: float = END_WITHIN_S,
        hurry_s: float = HURRY_S,
    ) -> None:
        self._lifeline = lifeline
        self._limits = (str(end_within_s), str(hurry_s))
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._wakeup = -1

    def __enter__(self) -> Watched:
        if os.name != "posix":  # there a parent's end is noticed by nobody but itself
            return self
        told, self._wakeup = os.pipe()
        os.set_blocking(self._wakeup, False)
        # A copy: the watchdog's own standard input is another pipe.
        lifelines = [] if self._lifeline is None else [os.dup(self._lifeline)]
        command = [sys.executable, "-I", "-S", str(Path(watchdog.__file__)), str(os.getpid())]
        self._watchdog = subprocess.Popen(  # noqa: S603  our own command
            [*command, *self._limits, *map(str, lifelines)],
            stdin=told,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=lifelines,
        )
        for fd in (told, *lifelines):
            os.close(fd)
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


def leave(code: int) -> NoReturn:
    """End this process now, with all that it started and has not ended.

    Python would wait for threads, those of plugins too, that may never end. What matters is on
    disk by now.
    """
    for pid in watchdog.descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
