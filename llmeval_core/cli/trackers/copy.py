"""`llmeval trackers copy`: fill a tracker with what the journal has."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import complete_components, home_option

_DAY_S = 86_400.0


@click.command()
@click.argument(
    "tracker", metavar="TRACKER[:ARGUMENT]", shell_complete=complete_components("trackers")
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting, the value as in the run file; may be repeated.",
)
@click.option("--name", metavar="NAME", help="What to call it; found by itself if left out.")
@click.option(
    "-m", "--model", "models", metavar="GLOB", default="*", help="Only these models: 'openai/*'."
)
@click.option("--latest", is_flag=True, help="Only the newest result of each model and task.")
@click.option("--again", is_flag=True, help="Also what it got before: the server lost its data.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=_DAY_S,
    help="How long to try; a day if left out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@home_option
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> int:  # Any: each of its own type
    """Fill a tracker from the journal, oldest result first: a new server gets the leaderboard.

    What the tracker has already is not sent again, so an interrupted copy goes on where it was:
    give the command again, or `llmeval trackers sync`. Exit code 1 if a result is undelivered.

    \b
    Examples:
      llmeval trackers copy mlflow:http://new-server:5000
      llmeval trackers copy jsonl:everything.jsonl --latest
      llmeval trackers copy mlflow --set experiment=archive -m 'openai/*'
    """
    from llmeval_core.cli.trackers.copy_action import copy_results  # noqa: PLC0415  late: see `options`

    return copy_results(ctx, **arguments)
