"""A worker process from its start to its end: folder, log, signals, jobs."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from llmeval_core.api import make_session
from llmeval_server.claim import Claim
from llmeval_server.jobs.worker import work_until
from llmeval_server.logs import start_logging
from llmeval_server.processes.ending import Watched, leave
from llmeval_server.settings import ServerSettings

PREDECESSOR_S = 20.0
"""How long the worker of a server that just died may take to end, seconds."""


def work(settings: ServerSettings, *, under_server: bool, disabled: Sequence[str]) -> NoReturn:
    """Run jobs until SIGTERM, Ctrl-C or the end of the server, and exit.

    Args:
        settings: of the server.
        under_server: whether a server started us, and holds the other end of standard input.
        disabled: plugins to be left alone.

    Raises:
        LlmevalError: the folder has a worker, or jobs cannot be reached.
    """
    ending = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if ending.is_set():
            leave(130)
        ending.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    if under_server:
        watch = threading.Thread(target=_wait_for_end_of_server, args=(ending,), daemon=True)
        watch.start()
    wait_s = PREDECESSOR_S if under_server else 0.0
    lifeline = sys.stdin.fileno() if under_server else None
    with (
        Watched(lifeline=lifeline),
        Claim(settings.home, "worker", wait_s=wait_s),
    ):
        session = make_session(disabled=disabled)
        start_logging(settings.home, "worker", session.catalog.redactor)
        work_until(ending, settings, session, wait_s=wait_s)
    leave(0)


def _wait_for_end_of_server(ending: threading.Event) -> None:
    sys.stdin.buffer.read()
    ending.set()
