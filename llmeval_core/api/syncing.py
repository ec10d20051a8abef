"""Delivering pending results, with the settings that the journal has of trackers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from llmeval_core.catalog import SECRET_MARK, Catalog, make_trackers
from llmeval_core.config import Origin, TrackerConfig, validate
from llmeval_core.delivery import DeliveryWorker
from llmeval_core.errors import ConfigError, LlmevalError
from llmeval_core.journal import DeliveryRepository, Journal, StoredTracker
from llmeval_core.plan import PlannedTracker
from llmeval_core.printable import shown


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What became of one tracker's results; `reason` says why some are not delivered."""

    name: str
    delivered: int
    undelivered: int
    reason: str | None
    location: str | None

    def line(self) -> str:
        """Say it in one line."""
        text = f"{self.name}: {self.delivered} delivered"
        if self.undelivered:
            text += f", {self.undelivered} still wait: {self.reason}"
        elif not self.delivered:
            text = f"{self.name}: lacks nothing"
        return shown(text + (f" ({self.location})" if self.location else ""))


async def deliver_pending(
    journal: Journal, catalog: Catalog, within_s: float, *, names: Iterable[str] | None = None
) -> list[SyncOutcome]:
    """Deliver pending results to all trackers at the same time; none stops another.

    Trackers are made again with the settings that the last run gave them.

    Args:
        journal: what has the results.
        catalog: makes the trackers.
        within_s: how long to try, seconds.
        names: only these trackers; all that were ever used if None.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    stored = journal.deliveries(DeliveryRepository.trackers)
    if names is not None:
        wanted = set(names)
        stored = [tracker for tracker in stored if tracker.name in wanted]
    return await asyncio.gather(
        *(_deliver_stored(tracker, journal, catalog, within_s) for tracker in stored)
    )


async def deliver_again(
    journal: Journal, catalog: Catalog, within_s: float, *, name: str
) -> list[SyncOutcome]:
    """Deliver the current result of each model and task once more, and what is pending.

    A tracker that still has a result changes nothing, but looks after the place where it is.

    Args:
        journal, catalog, within_s: as in `deliver_pending`.
        name: the tracker's; there is no outcome if no run has used it.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    for stored in journal.deliveries(DeliveryRepository.trackers):
        if stored.name == name:
            journal.deliveries(
                DeliveryRepository.assign, stored, models="*", latest=True, again=True
            )
    return await deliver_pending(journal, catalog, within_s, names=(name,))


async def _deliver_stored(
    stored: StoredTracker, journal: Journal, catalog: Catalog, within_s: float
) -> SyncOutcome:
    n_undelivered = journal.deliveries(DeliveryRepository.n_undelivered, stored.name)
    if n_undelivered == 0:
        return SyncOutcome(stored.name, 0, 0, None, None)
    try:
        planned = _make_tracker(stored, catalog)
    except LlmevalError as err:
        reason = err.what + (f" (try: {err.hint})" if err.hint else "")
        return SyncOutcome(stored.name, 0, n_undelivered, reason, None)
    return await deliver_to(planned, journal, catalog, within_s)


async def deliver_to(
    planned: PlannedTracker, journal: Journal, catalog: Catalog, within_s: float
) -> SyncOutcome:
    """Deliver the pending results of one tracker, in one attempt of at most so many seconds.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    n_undelivered = journal.deliveries(DeliveryRepository.n_undelivered, planned.name)
    if n_undelivered == 0:
        return SyncOutcome(planned.name, 0, 0, None, None)
    courier = DeliveryWorker(planned, journal, catalog.redactor)
    report = await courier.finish(within_s=within_s)
    return SyncOutcome(
        planned.name,
        n_undelivered - report.n_undelivered,
        report.n_undelivered,
        report.reason or ("refused" if report.n_undelivered else None),
        report.location,
    )


def _make_tracker(stored: StoredTracker, catalog: Catalog) -> PlannedTracker:
    """Make a tracker from its stored settings.

    Raises:
        LlmevalError: its plugin is gone, a variable is not set, or a secret was not kept.
    """
    lost = [key for key, value in stored.config.items() if SECRET_MARK in str(value)]
    if lost:
        raise ConfigError(
            f"its '{lost[0]}' stood in the run file, and the journal keeps no secrets",
            hint=f"write {lost[0]}: ${{NAME}} there, and run once more",
        )
    origin = Origin(flags={(): f"tracker {stored.name}"})
    config = validate(TrackerConfig, {**stored.config, "name": stored.name}, origin=origin)
    return make_trackers((config,), catalog, origin=origin)[0]
