"""What trackers still lack when no job runs: a tracker was away when the last job ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from llmeval_core.api import Catalog, DeliveryRepository, Journal, deliver_pending
from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.own_loop import run_in_own_loop

FIRST_PAUSE_S = 15.0
"""How long between two looks, seconds; doubled after each attempt that was in vain."""
LONGEST_PAUSE_S = 120.0
WITHIN_S = 60.0
"""How long one attempt may take, seconds."""

_log = logging.getLogger("llmeval.server")


class Leftovers:
    """Delivers in a thread of its own what waits; a job that runs delivers by itself.

    What was refused for good is left to people. The thread may be left behind at the end: an
    attempt that is cut off is made again.

    Args:
        home: where the journal is.
        catalog: makes the trackers again.
        is_idle: says whether no job runs.
        pause_s: how long between two looks.
    """

    def __init__(
        self,
        home: Path,
        catalog: Catalog,
        is_idle: Callable[[], bool],
        *,
        pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._home = home
        self._catalog = catalog
        self._is_idle = is_idle
        self._pause_s = pause_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="leftovers", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._ending.set()

    def _keep(self) -> None:
        pause_s = self._pause_s
        while not self._ending.wait(pause_s):
            try:
                in_vain = self._bring()
            except LlmevalError as err:  # the disk is full, or a database is away
                _log.warning("what trackers lack cannot be delivered now: %s", err.what)
                in_vain = True
            except Exception:  # noqa: BLE001  the border: a plugin's bug must not end the thread
                _log.exception("what trackers lack cannot be delivered now: internal error")
                in_vain = True
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S) if in_vain else self._pause_s

    def _bring(self) -> bool:
        """Deliver what waits, and say whether an attempt was in vain."""
        with Journal(self._home) as journal:
            tracker_statuses = journal.deliveries(DeliveryRepository.tracker_statuses)
            waiting = [status.tracker for status in tracker_statuses if status.n_pending]
            if not waiting or not self._is_idle():
                return False
            delivering = deliver_pending(journal, self._catalog, WITHIN_S, names=waiting)
            outcomes = run_in_own_loop(delivering)
        return any(outcome.undelivered for outcome in outcomes)
