"""A small process that sees to it that another one really ends when it is told to.

Run by its path with an interpreter that imports nothing else, as a child of the process that it
watches: `python -I -S watchdog.py PID GRACE_S HURRY_S [FD]`. Its standard input is a pipe into
which Python writes the number of each signal that the watched process gets, at once and from C
(`signal.set_wakeup_fd`). So it hears of SIGTERM also when no line of Python runs there any more:
a regular expression or a model that never gives the interpreter back.

States: *watching*, until the first SIGTERM or SIGINT, or until the other end of FD is closed (a
worker's server is gone); then *waiting* for GRACE_S, after a second signal for HURRY_S at most;
then it kills the watched process with all that it started. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Sequence

_LOOK_EVERY_S = 1.0
_ENDING = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> None:
    """Watch until the process is gone."""
    pid, grace_s, hurry_s = int(arguments[0]), float(arguments[1]), float(arguments[2])
    for number in (*_ENDING, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    poller = select.poll()
    poller.register(0, select.POLLIN)
    lifeline = int(arguments[3]) if len(arguments) > 3 else None
    if lifeline is not None:
        poller.register(lifeline, 0)  # only its end is told
    give_up_at: float | None = None
    while os.getppid() == pid:
        now = time.monotonic()
        if give_up_at is not None and now >= give_up_at:
            kill_with_descendants(pid, spare=os.getpid())
            return
        wait_s = _LOOK_EVERY_S if give_up_at is None else min(_LOOK_EVERY_S, give_up_at - now)
        for fd, _ in poller.poll(wait_s * 1000):
            heard = b"\0" if fd == lifeline else os.read(0, 64)
            if not heard:
                return
            if fd == lifeline:
                poller.unregister(fd)
            for _ in range(1 if fd == lifeline else sum(byte in _ENDING for byte in heard)):
                soon = time.monotonic() + (grace_s if give_up_at is None else hurry_s)
                give_up_at = min(soon, give_up_at or soon)


def kill_with_descendants(pid: int, *, spare: int) -> None:
    """Kill a process, then what it started, but for one."""
    family = descendants(pid) - {spare}
    for one in (pid, *family):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def descendants(pid: int) -> set[int]:
    """Find what a process started and what this started; nothing where there is no /proc."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    to_see = [pid]
    while to_see:
        for child in children.get(to_see.pop(), ()):
            if child not in found:
                found.add(child)
                to_see.append(child)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
