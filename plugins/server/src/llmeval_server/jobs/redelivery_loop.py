"""Delivers pending results while no job runs, as when a tracker was away at a job's end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from llmeval_core.api import Catalog, DeliveryRepository, Journal, deliver_pending
from llmeval_core.hooks import LlmevalError
from llmeval_core.support import Backoff
from llmeval_server.jobs.new_loop import run_in_new_loop

FIRST_PAUSE_S = 15.0
"""The pause between two attempts, seconds; doubled after each one that failed."""
LONGEST_PAUSE_S = 120.0
ATTEMPT_S = 60.0
"""How long one attempt may take, seconds."""

_log = logging.getLogger("llmeval.server")


class RedeliveryLoop:
    """Delivers pending results in a thread of its own; a running job delivers its own results.

    Results that a tracker has refused for good are left for the user. The thread may be abandoned
    at the end of the process: an attempt that was cut off is repeated.

    Args:
        home: the folder of the journal.
        catalog: makes the trackers.
        is_idle: returns whether no job runs.
        pause_s: the first pause between two attempts, seconds.
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
        self._pauses = Backoff(first_s=pause_s, longest_s=LONGEST_PAUSE_S)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="redelivery", daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def stop(self) -> None:
        """Start no further attempt; returns at once."""
        self._stopping.set()

    def _run(self) -> None:
        n_failures = 0
        while not self._stopping.wait(self._pauses.wait_s(n_failures + 1)):
            try:
                failed = self._deliver()
            except LlmevalError as err:  # the disk is full, or a database is away
                _log.warning("pending results cannot be delivered now: %s", err.what)
                failed = True
            except Exception:  # noqa: BLE001  the border: a plugin's bug must not end the thread
                _log.exception("pending results cannot be delivered now: internal error")
                failed = True
            n_failures = n_failures + 1 if failed else 0

    def _deliver(self) -> bool:
        """Deliver pending results, and return whether some are still pending."""
        with Journal(self._home) as journal:
            tracker_statuses = journal.deliveries(DeliveryRepository.tracker_statuses)
            pending = [status.tracker for status in tracker_statuses if status.n_pending]
            if not pending or not self._is_idle():
                return False
            delivering = deliver_pending(journal, self._catalog, ATTEMPT_S, names=pending)
            outcomes = run_in_new_loop(delivering)
        return any(outcome.undelivered for outcome in outcomes)
