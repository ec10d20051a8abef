"""`llmeval trackers status`: per tracker what is delivered, what waits, and why."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llmeval_core.cli.screen import add_row, echo, echo_json, print_table
from llmeval_core.cli.session import home_option
from llmeval_core.errors import UnknownNameError
from llmeval_core.journal import Deliveries, Journal, Lack
from llmeval_core.library import existing_journal
from llmeval_core.naming import did_you_mean
from llmeval_core.records import TrackerStanding

_MOST_LACKS = 20


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
def command(name: str | None, home: Path, *, as_json: bool) -> int:
    """Show what each tracker has and lacks; with NAME, each result that it lacks.

    Names are those of the run file (`name:`, else the tracker's own). Nothing is sent. Exit code 1
    if a tracker lacks a result.

    \b
    Examples:
      llmeval trackers status
      llmeval trackers status mlflow
    """
    with existing_journal(home) as journal:
        standings = journal.deliveries(Deliveries.standings)
        if name is not None:
            standings = [_find(name, standings)]
        lacks = {} if name is None else {name: journal.deliveries(Deliveries.lacks, name)}
        described = [_describe(journal, standing, lacks) for standing in standings]
    if as_json:
        echo_json(described)
    elif not standings:
        echo("no run has used a tracker yet")
    else:
        _print(standings)
        for lacked in lacks.values():
            _print_lacks(lacked)
    return int(any(standing.n_lacking for standing in standings))


def _find(name: str, standings: list[TrackerStanding]) -> TrackerStanding:
    for standing in standings:
        if standing.tracker == name:
            return standing
    names = [standing.tracker for standing in standings]
    hint = did_you_mean(name, names)
    raise UnknownNameError(
        f"no run has used a tracker '{name}'",
        hint=hint or f"this journal knows {', '.join(names) or 'none'}",
    )


def _describe(
    journal: Journal, standing: TrackerStanding, lacks: dict[str, list[Lack]]
) -> dict[str, Any]:
    """Return what JSON says of a tracker; Any: JSON."""
    described = asdict(standing)
    stored = {item.name: item.config for item in journal.deliveries(Deliveries.trackers)}
    described["config"] = stored.get(standing.tracker, {})
    if standing.tracker in lacks:
        described["lacks"] = [asdict(lack) for lack in lacks[standing.tracker]]
    return described


def _print(standings: list[TrackerStanding]) -> None:
    table = Table(
        "tracker", "delivered", "waiting", "refused", "last delivery", box=None, pad_edge=False
    )
    for column in table.columns[1:4]:
        column.justify = "right"
    for standing in standings:
        add_row(
            table,
            standing.tracker,
            f"{standing.n_delivered:,}",
            f"{standing.n_pending:,}",
            f"{standing.n_failed:,}",
            _moment(standing.delivered_at),
        )
    print_table(table)
    for standing in standings:
        if standing.location:
            echo(f"{standing.tracker}: see {standing.location}")
    for standing in standings:
        if standing.n_lacking:
            reason = standing.reason or "not tried yet"
            echo(f"{standing.tracker}: {reason}")
    if any(standing.n_lacking for standing in standings):
        echo("`llmeval trackers sync` delivers what is waiting, and tries the refused again")


def _print_lacks(lacks: list[Lack]) -> None:
    for lack in lacks[:_MOST_LACKS]:
        tried = f", tried {lack.attempts} times" if lack.attempts > 1 else ""
        state = "refused" if lack.state == "failed" else "waits"
        reason = f": {lack.reason}" if lack.reason else ""
        echo(f"  {lack.model}  {lack.task}  {state}{tried}{reason}")
    if len(lacks) > _MOST_LACKS:
        echo(f"  and {len(lacks) - _MOST_LACKS:,} more (all with --json)")


def _moment(timestamp: float | None) -> str:
    if timestamp is None:
        return "never"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(timestamp))
