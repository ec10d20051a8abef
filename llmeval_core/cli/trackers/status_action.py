"""What `llmeval trackers status` does."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmeval_core.api import (
    DeliveryRepository,
    Journal,
    PendingDelivery,
    TrackerStatus,
    UnknownNameError,
    did_you_mean,
    existing_journal,
)
from llmeval_core.cli.console import echo, echo_json, echo_table
from llmeval_core.cli.tables import Column, Table

_MOST_LISTED = 20


def show_status(*, name: str | None, home: Path, as_json: bool) -> int:
    """Print what trackers have and lack, and return the exit code."""
    with existing_journal(home) as journal:
        tracker_statuses = journal.deliveries(DeliveryRepository.tracker_statuses)
        if name is not None:
            tracker_statuses = [_find(name, tracker_statuses)]
        lacks = (
            {} if name is None else {name: journal.deliveries(DeliveryRepository.undelivered, name)}
        )
        described = [_describe(journal, status, lacks) for status in tracker_statuses]
    if as_json:
        echo_json(described)
    elif not tracker_statuses:
        echo("no run has used a tracker yet")
    else:
        _print(tracker_statuses)
        for lacked in lacks.values():
            _print_pending(lacked)
    return int(any(status.n_undelivered for status in tracker_statuses))


def _find(name: str, tracker_statuses: list[TrackerStatus]) -> TrackerStatus:
    for status in tracker_statuses:
        if status.tracker == name:
            return status
    names = [status.tracker for status in tracker_statuses]
    hint = did_you_mean(name, names)
    raise UnknownNameError(
        f"no run has used a tracker '{name}'",
        hint=hint or f"this journal knows {', '.join(names) or 'none'}",
    )


def _describe(
    journal: Journal, status: TrackerStatus, lacks: dict[str, list[PendingDelivery]]
) -> dict[str, Any]:
    """Return what JSON says of a tracker; Any: JSON."""
    described = asdict(status)
    stored = {item.name: item.config for item in journal.deliveries(DeliveryRepository.trackers)}
    described["config"] = stored.get(status.tracker, {})
    if status.tracker in lacks:
        described["lacks"] = [asdict(lack) for lack in lacks[status.tracker]]
    return described


def _print(tracker_statuses: list[TrackerStatus]) -> None:
    counts = (Column(heading, "right") for heading in ("delivered", "waiting", "refused"))
    table = Table([Column("tracker"), *counts, Column("last delivery")])
    for status in tracker_statuses:
        table.add(
            status.tracker,
            f"{status.n_delivered:,}",
            f"{status.n_pending:,}",
            f"{status.n_failed:,}",
            _moment(status.delivered_at),
        )
    echo_table(table)
    for status in tracker_statuses:
        if status.location:
            echo(f"{status.tracker}: see {status.location}")
    for status in tracker_statuses:
        if status.n_undelivered:
            reason = status.reason or "not tried yet"
            echo(f"{status.tracker}: {reason}")
    if any(status.n_undelivered for status in tracker_statuses):
        echo("`llmeval trackers sync` delivers what is waiting, and tries the refused again")


def _print_pending(lacks: list[PendingDelivery]) -> None:
    for lack in lacks[:_MOST_LISTED]:
        tried = f", tried {lack.attempts} times" if lack.attempts > 1 else ""
        state = "refused" if lack.state == "failed" else "waits"
        reason = f": {lack.reason}" if lack.reason else ""
        echo(f"  {lack.model}  {lack.task}  {state}{tried}{reason}")
    if len(lacks) > _MOST_LISTED:
        echo(f"  and {len(lacks) - _MOST_LISTED:,} more (all with --json)")


def _moment(timestamp: float | None) -> str:
    if timestamp is None:
        return "never"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(timestamp))
