"""`llmeval doctor`: runs every check, ours and the plugins'."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from llmeval_core.api import CheckResult, core_checks, run_checks
from llmeval_core.cli.console import add_row, echo_json, print_table
from llmeval_core.cli.session import home_option, open_session
from llmeval_core.contracts import Check

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


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
def command(ctx: click.Context, /, timeout: float, home: Path, *, as_json: bool) -> int:
    """Check that everything works: Python, folder, journal, plugins, and what plugins check.

    Exit code 1 if a check failed.

    \b
    Example:
      llmeval doctor
    """
    session = open_session(ctx, tolerant=True)
    checks: list[Check] = [*core_checks(session), *session.host.offers("checks")]
    results = run_checks(checks, home, within_s=timeout)
    if as_json:
        echo_json([{"name": f.name, **asdict(f.outcome)} for f in results])
    else:
        _print(results)
    return int(any(result.outcome.state == "failed" for result in results))


def _print(results: list[CheckResult]) -> None:
    table = Table("check", "state", "detail", "try", box=None, pad_edge=False)
    for result in results:
        outcome = result.outcome
        row = (result.name, outcome.state, outcome.detail, outcome.hint or "")
        add_row(table, *row, style=_COLOURS[outcome.state] if outcome.state != "ok" else None)
    print_table(table)
