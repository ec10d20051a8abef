"""`llmeval sync`, also `llmeval trackers sync`: deliver what trackers still lack."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from llmeval_core.api import deliver_pending, existing_journal
from llmeval_core.api.event_loop import run_until_complete
from llmeval_core.cli.console import echo, echo_json
from llmeval_core.cli.session import home_option, open_session


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
    with existing_journal(home, writing=True) as journal:
        catalog = open_session(ctx).catalog
        outcomes = run_until_complete(deliver_pending(journal, catalog, timeout))
    if as_json:
        echo_json([asdict(item) for item in outcomes])
    else:
        for outcome in outcomes:
            echo(outcome.line())
        if not outcomes:
            echo("no run has used a tracker yet")
    return int(any(outcome.undelivered for outcome in outcomes))
