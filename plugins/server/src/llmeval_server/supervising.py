"""Keeps a worker running beside a server: starts it again when it dies, ends it with us."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from llmeval_server.processes.watchdog import descendants

FIRST_PAUSE_S = 0.5
"""How long to wait before a worker that died is started again; doubled each time."""
LONGEST_PAUSE_S = 30.0
SETTLED_S = 60.0
"""A worker that lived this long died of something new."""
END_WITHIN_S = 7.0
"""How long a worker may take to end before it is killed, seconds."""

_LOOK_EVERY_S = 0.05

_log = logging.getLogger("llmeval.server")


def worker_command(*, disabled_plugins: Sequence[str]) -> list[str]:
    """Return the command of a worker that ends when its standard input does."""
    code = "from llmeval_core.cli import main; main()"
    leave_alone = [part for name in disabled_plugins for part in ("-p", f"no:{name}")]
    # -P: what lies in the folder we were started from is not imported.
    return [sys.executable, "-P", "-c", code, *leave_alone, "worker", "--under-server"]


class WorkerKeeper:
    """Starts a worker and starts it again; nothing of it is left after `stop`.

    The worker holds the end of a pipe from us, so that it notices even if we are killed. It and
    what it starts are a process group of their own: Ctrl-C in a terminal reaches only us.

    Args:
        command: of the worker.
        environ: its environment.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker keeper", daemon=True)

    def start(self) -> None:
        """Start the first worker."""
        self._thread.start()

    def end_soon(self) -> None:
        """Tell the worker to end; returns at once."""
        self._ending.set()

    def hurry(self) -> None:
        """Kill the worker instead of letting it end; returns at once."""
        self._ending.set()
        self._hurry.set()

    def stop(self) -> None:
        """End the worker and wait until it is gone."""
        self._ending.set()
        self._thread.join()

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ending.is_set():
            started = time.monotonic()
            code = self._run_one()
            if self._ending.is_set():
                return
            if time.monotonic() - started >= SETTLED_S:
                pause_s = FIRST_PAUSE_S
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            _log.warning("the worker %s; it is started again in %g s", how, pause_s)
            self._ending.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _run_one(self) -> int:
        """Run one worker to its end, or to ours, and return its exit code."""
        with subprocess.Popen(  # noqa: S603  our own command
            self._command, env=self._environ, stdin=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                while process.poll() is None and not self._ending.wait(0.1):
                    pass
                if process.poll() is None:
                    process.terminate()
                    self._let_end(process)
            finally:
                # The worker if it still lives, and what it may have left behind.
                family = descendants(process.pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                for pid in family:  # those with a session of their own
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            return process.wait()

    def _let_end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the worker has ended, took too long, or there is no time to wait."""
        give_up_at = time.monotonic() + END_WITHIN_S
        while process.poll() is None and time.monotonic() < give_up_at:
            if self._hurry.wait(_LOOK_EVERY_S):
                return
