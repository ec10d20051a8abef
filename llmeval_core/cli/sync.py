"""`llmeval sync`, also `llmeval trackers sync`: deliver what trackers still lack."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from llmeval_core.catalog import SECRET_MARK, Catalog, make_trackers
from llmeval_core.cli.event_loop import run_to_end
from llmeval_core.cli.screen import shown
from llmeval_core.cli.session import existing_journal, home_option, open_session
from llmeval_core.config import Origin, TrackerConfig, validate
from llmeval_core.delivery import Courier
from llmeval_core.errors import ConfigError, LlmevalError
from llmeval_core.journal import Deliveries, Journal, StoredTracker
from llmeval_core.plan import PlannedTracker


@dataclass(frozen=True, slots=True)
class Outcome:
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


@click.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=600.0,
    show_default=True,
    help="How long to try.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of trackers as JSON.")
@home_option
@click.pass_context
def command(ctx: click.Context, /, timeout: float, home: Path, *, as_json: bool) -> int:
    """Deliver what trackers still lack, because they were down or refused it.

    Trackers are made again with the settings that the last run gave them; ${NAME} is looked up
    anew. Exit code 1 if a result is still undelivered. Also called `llmeval trackers sync`.

    \b
    Example:
      llmeval sync
    """
    with existing_journal(home) as journal:
        catalog = open_session(ctx).catalog
        outcomes = run_to_end(_deliver(journal, catalog, timeout))
    if as_json:
        click.echo(json.dumps([asdict(item) for item in outcomes], ensure_ascii=False, indent=2))
    else:
        for outcome in outcomes:
            click.echo(outcome.line())
        if not outcomes:
            click.echo("no run has used a tracker yet")
    return int(any(outcome.undelivered for outcome in outcomes))


async def _deliver(journal: Journal, catalog: Catalog, within_s: float) -> list[Outcome]:
    """Deliver to all trackers at the same time; none stops another."""
    stored = journal.deliveries(Deliveries.trackers)
    return await asyncio.gather(
        *(_bring_again(tracker, journal, catalog, within_s) for tracker in stored)
    )


async def _bring_again(
    stored: StoredTracker, journal: Journal, catalog: Catalog, within_s: float
) -> Outcome:
    n_lacking = journal.deliveries(Deliveries.n_lacking, stored.name)
    if n_lacking == 0:
        return Outcome(stored.name, 0, 0, None, None)
    try:
        planned = _make_again(stored, catalog)
    except LlmevalError as err:
        reason = err.what + (f" (try: {err.hint})" if err.hint else "")
        return Outcome(stored.name, 0, n_lacking, reason, None)
    return await bring(planned, journal, catalog, within_s)


async def bring(
    planned: PlannedTracker, journal: Journal, catalog: Catalog, within_s: float
) -> Outcome:
    """Deliver what one tracker lacks, in one attempt of at most so many seconds.

    Raises:
        JournalError: the journal cannot be read or written.
    """
    n_lacking = journal.deliveries(Deliveries.n_lacking, planned.name)
    if n_lacking == 0:
        return Outcome(planned.name, 0, 0, None, None)
    courier = Courier(planned, journal, catalog.redactor)
    report = await courier.finish(within_s=within_s)
    return Outcome(
        planned.name,
        n_lacking - report.n_undelivered,
        report.n_undelivered,
        report.reason or ("refused" if report.n_undelivered else None),
        report.location,
    )


def _make_again(stored: StoredTracker, catalog: Catalog) -> PlannedTracker:
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
