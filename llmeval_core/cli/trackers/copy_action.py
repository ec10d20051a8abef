"""What `llmeval trackers copy` does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress as RichProgress

from llmeval_core.api import (
    Catalog,
    ConfigError,
    DeliveryRepository,
    Journal,
    Origin,
    PlannedTracker,
    Preflight,
    ReadinessCheck,
    StoredTracker,
    SyncOutcome,
    TrackerConfig,
    deliver_to,
    existing_journal,
    make_trackers,
    read_key_values,
    run_until_complete,
    shown,
    validate,
)
from llmeval_core.cli.console import echo, echo_json
from llmeval_core.cli.live_console import error_console
from llmeval_core.cli.plugin_session import open_session

_log = logging.getLogger("llmeval")

_POLL_S = 0.5
_DAY_S = 86_400.0


def copy_results(
    ctx: click.Context,
    *,
    tracker: str,
    settings: tuple[str, ...],
    name: str | None,
    timeout: float,
    home: Path,
    as_json: bool,
    **which: Any,
) -> int:
    """Copy results to a tracker, and return the exit code."""
    with existing_journal(home, writing=True) as journal:
        catalog = open_session(ctx).catalog
        planned = _plan(tracker, settings, name, journal, catalog)
        n_chosen = journal.deliveries(DeliveryRepository.assign, _stored(planned), **which)
        outcome = run_until_complete(_copy(planned, journal, catalog, timeout))
    if as_json:
        echo_json({**asdict(outcome), "chosen": n_chosen}, indent=None)
    elif n_chosen:
        echo(outcome.line())
    else:
        echo("no result fits" if which["models"] != "*" else "the journal has no results")
    return int(outcome.undelivered > 0)


def _plan(
    tracker: str, settings: tuple[str, ...], name: str | None, journal: Journal, catalog: Catalog
) -> PlannedTracker:
    """Make the tracker; without a name of its own it takes one that no other settings have.

    Raises:
        LlmevalError: a name or a setting is wrong, or the name belongs to other settings.
    """
    origin = Origin(flags={("trackers", 0): tracker})
    given = {"use": tracker, "required": False, **read_key_values(settings, "--set")}
    config = validate(TrackerConfig, {**given, "name": name} if name else given, origin=origin)
    (planned,) = make_trackers((config,), catalog, origin=origin)
    _check_ready(planned, journal.home, catalog, origin)
    known = {item.name: item.config for item in journal.deliveries(DeliveryRepository.trackers)}
    wanted = _stored(planned).config
    if name is None:
        for candidate in _names(planned.name):
            if candidate not in known or _is_same_place(known[candidate], wanted):
                return replace(planned, name=candidate)
    if planned.name in known and not _is_same_place(known[planned.name], wanted):
        raise ConfigError(
            f"'{planned.name}' is a tracker with other settings in this journal",
            where=f"--name {planned.name}",
            hint="take another name, or none",
        )
    return planned


def _check_ready(planned: PlannedTracker, home: Path, catalog: Catalog, origin: Origin) -> None:
    """See to it that the tracker could take results.

    Raises:
        LlmevalError: it could not.
    """
    readiness = ReadinessCheck(Preflight(home, must_be_ready=True), catalog.redactor)
    wanted = replace(planned, required=True)
    is_on = readiness.tracker(wanted, where=origin.where("trackers", 0))
    for note in readiness.notes:
        _log.warning(note)
    if not is_on:
        raise ConfigError(f"the tracker '{planned.name}' is disabled, so it takes nothing")


def _names(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name}-{number}"
        number += 1


def _stored(planned: PlannedTracker) -> StoredTracker:
    settings = {"use": planned.use, "required": planned.required, **planned.settings}
    return StoredTracker(planned.name, settings)


def _is_same_place(known: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Tell whether two settings lead to the same place; Any: what the run file has."""
    return {**known, "required": None} == {**wanted, "required": None}


async def _copy(
    planned: PlannedTracker, journal: Journal, catalog: Catalog, within_s: float
) -> SyncOutcome:
    showing = asyncio.create_task(_show_progress(planned.name, journal))
    try:
        return await deliver_to(planned, journal, catalog, within_s)
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing


async def _show_progress(name: str, journal: Journal) -> None:
    """Say on a terminal how far it is."""
    lacking = journal.deliveries(DeliveryRepository.n_undelivered, name)
    if lacking == 0:
        return
    console = error_console()
    with RichProgress(
        *RichProgress.get_default_columns(), console=console, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(shown(f"to {name}"), total=lacking)
        while True:
            await asyncio.sleep(_POLL_S)
            left = journal.deliveries(DeliveryRepository.n_undelivered, name)
            bar.update(task, completed=lacking - left)
