"""`llmeval plan`: what a run would do."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from llmeval_core.catalog import make_plan
from llmeval_core.cli.run_options import run_options
from llmeval_core.cli.screen import make_console
from llmeval_core.cli.session import home_option, open_session
from llmeval_core.engine import TaskPreview, preview
from llmeval_core.journal import Journal
from llmeval_core.journal.journal import JOURNAL_FILE
from llmeval_core.library.run_flags import read_config


@click.command()
@run_options
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run_file: Path | None,
    home: Path,
    *,
    as_json: bool,
    **flags: Any,  # Any: each of its own type
) -> None:
    """Show what a run would do, and send nothing.

    Reads the data sets, so a packaged one is fetched if it is not there yet.

    \b
    Example:
      llmeval plan eval.yaml
    """
    config, origin = read_config(run_file, **flags)
    session = open_session(ctx)
    plan = make_plan(config, session.catalog, origin=origin, observer=session.host)
    if (home / JOURNAL_FILE).exists():
        with Journal(home) as journal:
            previews = preview(plan, journal)
    else:
        previews = preview(plan, None)
    if as_json:
        counted = [asdict(item) for item in previews]
        click.echo(
            json.dumps({**plan.describe(), "preview": counted}, ensure_ascii=False, indent=2)
        )
    else:
        _print(previews, plan.fingerprint)


def _print(previews: list[TaskPreview], fingerprint: str) -> None:
    table = Table("model", "task", header_style="bold")
    for heading in ("samples", "in the journal", "requests to send", "unusable"):
        table.add_column(heading, justify="right")
    for item in previews:
        counts = (item.n_samples, item.n_answered, item.n_requests, item.n_unusable)
        table.add_row(item.model, item.task, *(f"{count:,}" for count in counts))
    console = make_console()
    console.print(table)
    total = sum(item.n_requests for item in previews)
    console.print(f"{total:,} requests to send, plan {fingerprint}")
