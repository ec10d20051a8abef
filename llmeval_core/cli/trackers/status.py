"""`llmeval trackers status`: per tracker what is delivered, what waits, and why."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
def command(**arguments: Any) -> int:  # Any: each of its own type
    """Show what each tracker has and lacks; with NAME, each result that it lacks.

    Names are those of the run file (`name:`, else the tracker's own). Nothing is sent. Exit code 1
    if a tracker lacks a result.

    \b
    Examples:
      llmeval trackers status
      llmeval trackers status mlflow
    """
    from llmeval_core.cli.trackers.status_action import show_status  # noqa: PLC0415  late: see `options`

    return show_status(**arguments)
