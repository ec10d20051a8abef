"""Runs a worker beside the server: restarts it when it dies, and ends it with the server."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Mapping, Sequence

from llmeval_core.support import Backoff, BlockingChildProcess, ChildCommand
from llmeval_server.processes.termination import GRACE_S

RESTARTS = Backoff(first_s=0.5, longest_s=30.0)
"""How long to wait before a worker that died is restarted."""
STABLE_AFTER_S = 60.0
"""After a worker has run for so long, its death counts as the first one again, seconds."""
STOP_WITHIN_S = 7.0
"""How long a worker may take to stop before it is killed, seconds."""

_POLL_S = 0.05

_log = logging.getLogger("llmeval.server")


def worker_command(*, disabled_plugins: Sequence[str]) -> list[str]:
    """Return the command of a worker that is started by a server."""
    code = "from llmeval_core.cli import main; main()"
    disabled = [part for name in disabled_plugins for part in ("-p", f"no:{name}")]
    # -P: modules in the current folder are not imported.
    return [sys.executable, "-P", "-c", code, *disabled, "worker", "--under-server"]


class WorkerSupervisor:
    """Starts a worker and restarts it; nothing of it is left after `stop`.

    If this process is killed, the worker gets SIGTERM. It has a session of its own: Ctrl-C in a
    terminal reaches only this process.

    Args:
        command: of the worker.
        environ: the worker's environment.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._command = ChildCommand(command, environ, output="shown", grace_s=GRACE_S)
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
        n_deaths = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                how = f"ended ({self._run_one()})"
            except OSError as err:  # no process or no memory is left
                how = f"could not be started: {err}"
            if self._stopping.is_set():
                return
            n_deaths = 1 if time.monotonic() - started >= STABLE_AFTER_S else n_deaths + 1
            pause_s = RESTARTS.wait_s(n_deaths)
            _log.warning("the worker %s; it is started again in %g s", how, pause_s)
            self._stopping.wait(pause_s)

    def _run_one(self) -> str | None:
        """Run one worker until it ends or is stopped, and return how it ended."""
        with BlockingChildProcess(self._command) as worker:
            while worker.wait(_POLL_S) is None and not self._stopping.is_set():
                pass
            if worker.returncode is None:
                worker.terminate()
                give_up_at = time.monotonic() + STOP_WITHIN_S
                while worker.wait(_POLL_S) is None and time.monotonic() < give_up_at:
                    if self._killing.is_set():
                        break
                worker.kill()
                worker.wait()
            return worker.exit_text()
