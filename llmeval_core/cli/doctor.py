"""`llmeval doctor`: runs every check, ours and the plugins'."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.cli.options import home_option


@click.command()
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=20.0,
    show_default=True,
    help="How long a check may take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a list of checks as JSON.")
@home_option
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> int:  # Any: each of its own type
    """Check that everything works: Python, folder, journal, plugins, and what plugins check.

    Exit code 1 if a check failed.

    \b
    Example:
      llmeval doctor
    """
    from llmeval_core.cli.doctor_action import run_doctor  # noqa: PLC0415  late: see `options`

    return run_doctor(ctx, **arguments)
