"""A small process that kills another one if that does not end in time after a signal.

Run by its path with an interpreter that imports nothing else, as a child of the process that it
watches: `python -I -S watchdog.py PID GRACE_S SECOND_GRACE_S [FD]`. Its standard input is a pipe
into which Python's C code writes the number of each signal that the watched process receives
(`signal.set_wakeup_fd`). So it learns of SIGTERM even when the watched process no longer runs any
Python code: in a regular expression or a model that never releases the interpreter.

States and transitions:

* *watching*: SIGTERM or SIGINT arrives, or the other end of FD is closed (a worker's server is
  gone) -> waiting.
* *waiting*: for GRACE_S; after a second signal for SECOND_GRACE_S at most -> killing.
* *killing*: the watched process and all that it started get SIGKILL.
* The watched process has ended, or has closed the pipe -> the watchdog ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Sequence

_POLL_S = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> None:
    """Watch until the process is gone."""
    pid, grace_s, second_grace_s = int(arguments[0]), float(arguments[1]), float(arguments[2])
    for number in (*_SIGNALS, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    poller = select.poll()
    poller.register(0, select.POLLIN)
    lifeline = int(arguments[3]) if len(arguments) > 3 else None
    if lifeline is not None:
        poller.register(lifeline, 0)  # only the closing is reported
    give_up_at: float | None = None
    while os.getppid() == pid:
        now = time.monotonic()
        if give_up_at is not None and now >= give_up_at:
            kill_with_descendants(pid, spare=os.getpid())
            return
        wait_s = _POLL_S if give_up_at is None else min(_POLL_S, give_up_at - now)
        for fd, _ in poller.poll(wait_s * 1000):
            received = b"\0" if fd == lifeline else os.read(0, 64)
            if not received:
                return
            if fd == lifeline:
                poller.unregister(fd)
            for _ in range(1 if fd == lifeline else sum(byte in _SIGNALS for byte in received)):
                soon = time.monotonic() + (grace_s if give_up_at is None else second_grace_s)
                give_up_at = min(soon, give_up_at or soon)


def kill_with_descendants(pid: int, *, spare: int) -> None:
    """Kill a process and its descendants, except one."""
    family = descendants(pid) - {spare}
    for one in (pid, *family):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Return the ids of a process's descendants; empty where there is no /proc."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    to_visit = [pid]
    while to_visit:
        for child in children.get(to_visit.pop(), ()):
            if child not in found:
                found.add(child)
                to_visit.append(child)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
