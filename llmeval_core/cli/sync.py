"""`llmeval sync`, also `llmeval trackers sync`: deliver what trackers still lack."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option


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
def command(ctx: click.Context, /, **arguments: Any) -> int:  # Any: each of its own type
    """Deliver what trackers still lack, because they were down or refused it.

    Trackers are made again with the settings that the last run gave them; ${NAME} is looked up
    anew. Exit code 1 if a result is still undelivered. Also called `llmeval trackers sync`.

    \b
    Example:
      llmeval sync
    """
    from llmeval_core.cli.sync_action import deliver  # noqa: PLC0415  late: see `options`

    return deliver(ctx, **arguments)
