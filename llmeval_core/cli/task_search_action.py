"""What `llmeval tasks NAME --search TEXT` prints."""

from __future__ import annotations

from dataclasses import asdict

import click

from llmeval_core.api import search_tasks
from llmeval_core.cli.console import echo_error, echo_json, echo_table
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.tables import Column, Table


def show_found_tasks(
    ctx: click.Context, *, name: str, text: str, limit: int, as_json: bool
) -> None:
    """Search, and print what was found as it is written in a run file."""
    found = search_tasks(open_session(ctx).catalog, name, text)
    shown = found[:limit] if limit else found
    if as_json:
        echo_json([asdict(one) for one in shown])
    else:
        table = Table([Column("task"), Column("about", wraps=True)])
        for one in shown:
            table.add(f"{name}:{one.name}", one.about)
        echo_table(table)
    if len(shown) < len(found):
        echo_error(f"... and {len(found) - len(shown)} more: --limit 0 shows all")
