"""What `llmeval doctor` does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from llmeval_core.api import Check, CheckResult, core_checks, run_checks
from llmeval_core.cli.console import echo_json, echo_table
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.tables import Column, Table

_STYLES = {"warning": "yellow", "failed": "red"}
_TEXTS = (Column("detail", wraps=True), Column("try", wraps=True))


def run_doctor(ctx: click.Context, *, timeout: float, home: Path, as_json: bool) -> int:
    """Run the checks, and return the exit code."""
    session = open_session(ctx, tolerant=True)
    checks: list[Check] = [*core_checks(session), *session.host.registered("checks")]
    results = run_checks(checks, home, within_s=timeout)
    if as_json:
        echo_json([{"name": f.name, **asdict(f.outcome)} for f in results])
    else:
        _print(results)
    return int(any(result.outcome.state == "failed" for result in results))


def _print(results: list[CheckResult]) -> None:
    table = Table([Column("check"), Column("state"), *_TEXTS])
    for result in results:
        outcome = result.outcome
        row = (result.name, outcome.state, outcome.detail, outcome.hint or "")
        table.add(*row, style=_STYLES.get(outcome.state))
    echo_table(table)
