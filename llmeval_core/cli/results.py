"""`llmeval results`: the leaderboard from the journal."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import complete_from_journal, home_option, models_option

FORMATS = ("table", "md", "csv", "json")


@click.command()
@models_option
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME",
    help="Only this data set; may be repeated.",
    shell_complete=complete_from_journal("dataset"),
)
@click.option("--categories", is_flag=True, help="Show the numbers of categories too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="How to write it.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@home_option
def command(**arguments: Any) -> None:  # Any: each of its own type
    """Show the leaderboard: models x metric keys, the value that stands of each.

    That is the newest of the most complete results: a run with --limit does not take the place of
    a full one. `llmeval history KEY` shows all.

    \b
    Examples:
      llmeval results
      llmeval results -d commonsense_qa --format md > leaderboard.md
    """
    from llmeval_core.cli.results_action import show_results  # noqa: PLC0415  late: see `options`

    show_results(**arguments)
