"""Runs a worker beside the server: restarts it when it dies, and ends it with the server."""

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
"""How long to wait before a worker that died is restarted; doubled each time."""
LONGEST_PAUSE_S = 30.0
STABLE_AFTER_S = 60.0
"""After a worker has run for so long, the next pause is the first one again."""
STOP_WITHIN_S = 7.0
"""How long a worker may take to stop before it is killed, seconds."""

_POLL_S = 0.05

_log = logging.getLogger("llmeval.server")


def worker_command(*, disabled_plugins: Sequence[str]) -> list[str]:
    """Return the command of a worker that stops when its standard input is closed."""
    code = "from llmeval_core.cli import main; main()"
    disabled = [part for name in disabled_plugins for part in ("-p", f"no:{name}")]
    # -P: modules in the current folder are not imported.
    return [sys.executable, "-P", "-c", code, *disabled, "worker", "--under-server"]


class WorkerSupervisor:
    """Starts a worker and restarts it; nothing of it is left after `stop`.

    The worker's standard input is a pipe from this process, so it notices when this process is
    killed. The worker and its children are a process group of their own: Ctrl-C in a terminal
    reaches only this process.

    Args:
        command: of the worker.
        environ: the worker's environment.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = command
        self._environ = environ
        self._stopping = threading.Event()
        self._killing = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start the first worker."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask the worker to stop; returns at once."""
        self._stopping.set()

    def kill(self) -> None:
        """Kill the worker instead of letting it stop; returns at once."""
        self._stopping.set()
        self._killing.set()

    def stop(self) -> None:
        """Stop the worker and wait until it is gone."""
        self._stopping.set()
        self._thread.join()

    def _supervise(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            started = time.monotonic()
            code = self._run_one()
            if self._stopping.is_set():
                return
            if time.monotonic() - started >= STABLE_AFTER_S:
                pause_s = FIRST_PAUSE_S
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            _log.warning("the worker %s; it is started again in %g s", how, pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _run_one(self) -> int:
        """Run one worker until it ends or is stopped, and return its exit code."""
        with subprocess.Popen(  # noqa: S603  our own command
            self._command, env=self._environ, stdin=subprocess.PIPE, start_new_session=True
        ) as process:
            try:
                while process.poll() is None and not self._stopping.wait(0.1):
                    pass
                if process.poll() is None:
                    process.terminate()
                    self._wait_for_exit(process)
            finally:
                # The worker if it is still alive, and whatever it started.
                family = descendants(process.pid)
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                for pid in family:  # children with a session of their own
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            return process.wait()

    def _wait_for_exit(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the worker has exited, its time is over, or it is to be killed."""
        give_up_at = time.monotonic() + STOP_WITHIN_S
        while process.poll() is None and time.monotonic() < give_up_at:
            if self._killing.wait(_POLL_S):
                return
