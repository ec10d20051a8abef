"""One tracker's queue: its pending results, delivered in order, whatever the tracker does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.config import Redactor
from llmeval_core.contracts import Receipt, RunInfo
from llmeval_core.delivery.superseded_metrics import without_superseded
from llmeval_core.errors import TrackerError, describe_error, must_propagate
from llmeval_core.journal import (
    DeliveryRepository,
    Journal,
    ProcessLock,
    StoredTracker,
)
from llmeval_core.plan import PlannedTracker
from llmeval_core.process_state import current_folder, return_to
from llmeval_core.support import Backoff, CircuitBreaker

_log = logging.getLogger("llmeval.delivery")
_LOCK_POLL_S = 0.1
_AHEAD_S = 0.5  # a run that finds everything in the journal is over by then
PAUSES = Backoff(first_s=30.0, longest_s=300.0)
"""How long to leave a tracker alone after it failed; longer only if it asks for that itself."""
SETTLED_S = 1.0
"""A failure younger than this would only happen again, seconds."""
CLOSE_S = 5.0
"""Longest time for a tracker to close, seconds."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """How one tracker stands at the end of a run.

    Args:
        tracker: its name.
        required: whether undelivered results make the run fail.
        n_undelivered: results that it does not have.
        reason: why, of the last attempt; None if all is delivered.
        location: where the last delivered result can be seen; None if unknown.
    """

    tracker: str
    required: bool
    n_undelivered: int
    reason: str | None
    location: str | None


class DeliveryWorker:
    """Delivers the pending results of one tracker, oldest first.

    A delivery that fails leaves the rest waiting, so that order is kept and a dead server is
    asked once, not once a result. It is tried again after a pause, and once more by `finish`.
    """

    def __init__(self, planned: PlannedTracker, journal: Journal, redactor: Redactor) -> None:
        self._planned = planned
        self._journal = journal
        self._redactor = redactor
        self._label = _label(planned)
        self._info = RunInfo(planned.name, journal.home, journal.plan_of, journal.samples_of)
        self._folder = current_folder()
        self._awake = asyncio.Event()
        self._closing = False
        self._opened = False
        self._reason: str | None = None
        self._location: str | None = None
        self._with_failed = True
        self._circuit = CircuitBreaker(PAUSES)
        journal.deliveries(
            DeliveryRepository.remember_tracker,
            StoredTracker(
                planned.name,
                {"use": planned.use, "required": planned.required, **planned.settings},
            ),
        )
        self._task = asyncio.create_task(self._work(), name=f"deliver to {planned.name}")
        if journal.deliveries(DeliveryRepository.n_undelivered, planned.name):
            self.wake()

    def wake(self) -> None:
        """Say that there may be something to deliver."""
        self._awake.set()

    async def finish(self, *, within_s: float) -> DeliveryReport:
        """Deliver what is left, but no longer than that, and close the tracker.

        Raises:
            JournalError: what is left, or how it went, cannot be read or noted.
        """
        self._closing = True
        self.wake()
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(self._task)
        except TimeoutError:
            self._reason = f"no answer within {within_s:g} s"
        finally:  # a tracker may take no notice; we are done with it all the same
            await cancel_and_wait((self._task,), within_s=2 * CLOSE_S)
        pending = self._journal.deliveries(
            DeliveryRepository.pending, self._planned.name, with_failed=True
        )
        return DeliveryReport(
            self._planned.name,
            self._planned.required,
            len(pending),
            self._reason if pending else None,
            self._location,
        )

    async def _work(self) -> None:
        try:
            while not self._closing:
                is_woken = await self._wait()
                if not self._closing and not self._circuit.wait_s(time.monotonic()):
                    await self._deliver_pending(opening_ahead=not is_woken)
            if self._circuit.may_probe_early(time.monotonic(), after_s=SETTLED_S):
                await self._deliver_pending()
        finally:
            await self._close()

    async def _wait(self) -> bool:
        """Wait for something to deliver, or for the end of the pause after a failure.

        Return whether there may be something. A tracker is opened ahead, because that may take
        seconds, but not for a run that is over at once.
        """
        pause_s = None if self._opened else _AHEAD_S
        if self._circuit.since is not None:
            pause_s = self._circuit.wait_s(time.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._awake.wait()
        is_woken = self._awake.is_set()
        self._awake.clear()
        return is_woken

    async def _deliver_pending(self, *, opening_ahead: bool = False) -> None:
        if not opening_ahead and not await asyncio.to_thread(self._pending):
            return
        lock = await self._lock()
        try:
            self._circuit.sent()
            await self._open()
            for result_id in await asyncio.to_thread(self._pending):
                await self._deliver(result_id)
            self._reason = None
            self._with_failed = False
            self._circuit.succeeded()
        except TrackerError as err:
            self._circuit.failed(time.monotonic(), told_s=err.retry_after_s)
            first_time = self._reason is None
            self._reason = self._redactor(err.what + (f" (try: {err.hint})" if err.hint else ""))
            if first_time:
                _log.warning("%s cannot take results now: %s", self._label, self._reason)
        finally:
            lock.release()

    async def _lock(self) -> ProcessLock:
        """Wait until no other process delivers to the same tracker."""
        while True:
            lock = self._journal.try_lock(f"deliver-{self._planned.name}")
            if lock is not None:
                return lock
            await asyncio.sleep(_LOCK_POLL_S)

    def _pending(self) -> list[str]:
        """List the pending results; what the tracker refused for good is tried once more a run."""
        return self._journal.deliveries(
            DeliveryRepository.pending, self._planned.name, with_failed=self._with_failed
        )

    async def _open(self) -> None:
        if self._opened:
            return
        return_to(self._folder)  # a metric may have gone elsewhere
        try:
            await self._planned.tracker.open(self._info)
        except TrackerError as err:
            for result_id in (await asyncio.to_thread(self._pending))[:1]:
                await self._refused(result_id, err)
            raise
        except BaseException as err:  # plugin boundary: a tracker is foreign code
            if must_propagate(err):
                raise
            raise TrackerError(describe_error(err)) from err
        self._opened = True

    async def _deliver(self, result_id: str) -> None:
        journal, name = self._journal, self._planned.name
        result = await asyncio.to_thread(journal.deliveries, DeliveryRepository.result, result_id)
        if not getattr(self._planned.tracker, "keeps_all", False):
            kept = await asyncio.to_thread(journal.read, without_superseded, result, name)
            if kept is None:
                receipt = Receipt(note="gave way to a newer or more complete result")
                await asyncio.to_thread(
                    journal.deliveries, DeliveryRepository.delivered, result_id, name, receipt
                )
                return
            result = kept
        return_to(self._folder)
        try:
            receipt = _checked(await self._planned.tracker.deliver(result))
        except TrackerError as err:
            await self._refused(result_id, err)
            if err.permanent:
                return
            raise
        except BaseException as err:  # plugin boundary: a tracker is foreign code
            if must_propagate(err):
                raise
            wrapped = TrackerError(describe_error(err))
            await self._refused(result_id, wrapped)
            raise wrapped from err
        receipt = self._redacted(receipt)
        self._location = receipt.location or self._location
        if receipt.note:
            _log.warning("%s: %s", self._label, receipt.note)
        await asyncio.to_thread(
            journal.deliveries, DeliveryRepository.delivered, result_id, name, receipt
        )
        _log.info(
            "%s: delivered %s %s (%d metric%s)",
            self._label,
            result.model,
            result.task,
            len(result.metrics),
            "" if len(result.metrics) == 1 else "s",
        )

    def _redacted(self, receipt: Receipt) -> Receipt:
        location, note = receipt.location, receipt.note
        return Receipt(
            location=self._redactor(location) if location else None,
            note=self._redactor(note) if note else None,
        )

    async def _refused(self, result_id: str, err: TrackerError) -> None:
        reason = self._redactor(err.what)
        if err.permanent:
            _log.warning("%s refused a result: %s", self._label, reason)
        await asyncio.to_thread(
            self._journal.deliveries,
            DeliveryRepository.refused,
            result_id,
            self._planned.name,
            reason,
            permanent=err.permanent,
        )

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._planned.tracker.close()
        except BaseException as err:  # plugin boundary: a tracker is foreign code
            if must_propagate(err):
                raise
            reason = self._redactor(describe_error(err))
            _log.warning("%s did not close: %s", self._label, reason)


def _label(planned: PlannedTracker) -> str:
    """Call a tracker by its title, if it has one; and by its name too, if that is another one."""
    title = getattr(planned.tracker, "title", None)
    if title is None:
        return f"tracker '{planned.name}'"
    usual_name = planned.use.partition(":")[0]
    return str(title) if planned.name == usual_name else f"{title} ('{planned.name}')"


def _checked(receipt: object) -> Receipt:
    """Pass a receipt on if it is one.

    Raises:
        TypeError: it is something else, or what it says is no text.
    """
    if not isinstance(receipt, Receipt):
        raise TypeError(f"deliver() gave a {type(receipt).__name__}, not a Receipt")
    for name, text in (("location", receipt.location), ("note", receipt.note)):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"the receipt's {name} is a {type(text).__name__}, not a text")
    return receipt
