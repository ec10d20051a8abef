"""`llmeval plan`: what a run would do."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option
from llmeval_core.cli.run_options import run_options


@click.command()
@run_options
@home_option
@click.option(
    "--prompts",
    "n_prompts",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the first N requests of each task, as they will be sent.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> None:  # Any: each of its own type
    """Show what a run would do, and send nothing.

    Reads the data sets, so a packaged one is fetched if it is not there yet.

    \b
    Examples:
      llmeval plan eval.yaml
      llmeval plan eval.yaml --prompts 2
    """
    from llmeval_core.cli.plan_action import show_plan  # noqa: PLC0415  late: see `options`

    show_plan(ctx, **arguments)
