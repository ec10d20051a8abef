"""The main program of a worker process: folder, log, signals, jobs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from llmeval_core.api import make_session
from llmeval_server.home_lock import HomeLock
from llmeval_server.jobs.worker_loop import work_until
from llmeval_server.processes.termination import TerminationWatchdog, exit_now
from llmeval_server.server_log import start_logging
from llmeval_server.server_settings import ServerSettings

PREDECESSOR_S = 20.0
"""How long the worker of a server that has just died may take to end, seconds."""


def run_worker(
    settings: ServerSettings, *, under_server: bool, disabled: Sequence[str]
) -> NoReturn:
    """Run jobs until SIGTERM or Ctrl-C, then exit.

    Args:
        settings: the server's settings.
        under_server: whether a server started this process: then the worker of an earlier
            server may still be ending.
        disabled: the names of plugins that are not loaded.

    Raises:
        LlmevalError: the folder has a worker already, or the job store cannot be reached.
    """
    stopping = threading.Event()

    def handle_signal(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            exit_now(130)
        stopping.set()

    signal.signal(signal.SIGTERM, handle_signal)
    signal.signal(signal.SIGINT, handle_signal)
    wait_s = PREDECESSOR_S if under_server else 0.0
    with TerminationWatchdog(), HomeLock(settings.home, "worker", wait_s=wait_s):
        session = make_session(disabled=disabled)
        start_logging(settings.home, "worker", session.catalog.redactor)
        work_until(stopping, settings, session, wait_s=wait_s)
    exit_now(0)
