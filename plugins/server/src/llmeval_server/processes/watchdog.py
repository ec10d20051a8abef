"""A small process that kills another one if that does not end in time after a signal.

Run by its path with an interpreter that imports nothing else, as a child of the process that it
watches: `python -I -S watchdog.py SUPPORT PID GRACE_S SECOND_GRACE_S`. SUPPORT is the file with
`kill_process_tree`. Its standard input is a pipe into which Python's C code writes the number of
each signal that the watched process receives (`signal.set_wakeup_fd`). So it learns of SIGTERM even
when the watched process no longer runs any Python code: in a regular expression or a model that
never releases the interpreter.

States and transitions:

* *watching*: SIGTERM or SIGINT arrives -> waiting.
* *waiting*: for GRACE_S; after a second signal for SECOND_GRACE_S at most -> killing.
* *killing*: the watched process and all that it started get SIGKILL.
* The watched process has ended, or has closed the pipe -> the watchdog ends.
"""

from __future__ import annotations

import math
import os
import runpy
import select
import signal
import sys
import time
from collections.abc import Sequence

_POLL_S = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> None:
    """Watch until the process is gone."""
    kill_process_tree = runpy.run_path(arguments[0])["kill_process_tree"]
    pid, grace_s, second_grace_s = int(arguments[1]), float(arguments[2]), float(arguments[3])
    for number in (*_SIGNALS, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    poller = select.poll()
    poller.register(0, select.POLLIN)
    kill_at = math.inf
    while os.getppid() == pid:
        now = time.monotonic()
        if now >= kill_at:
            kill_process_tree(pid, spare=os.getpid())
            return
        if poller.poll(min(_POLL_S, kill_at - now) * 1000):
            received = os.read(0, 64)
            if not received:
                return
            for _ in range(sum(byte in _SIGNALS for byte in received)):
                wait_s = grace_s if kill_at == math.inf else second_grace_s
                kill_at = min(kill_at, time.monotonic() + wait_s)


if __name__ == "__main__":
    main(sys.argv[1:])
