"""What `llmeval sync` does."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from llmeval_core.api import deliver_pending, existing_journal, run_until_complete
from llmeval_core.cli.console import echo, echo_json
from llmeval_core.cli.plugin_session import open_session


def deliver(ctx: click.Context, *, timeout: float, home: Path, as_json: bool) -> int:
    """Deliver pending results, and return the exit code."""
    with existing_journal(home, writing=True) as journal:
        catalog = open_session(ctx).catalog
        outcomes = run_until_complete(deliver_pending(journal, catalog, timeout))
    if as_json:
        echo_json([asdict(item) for item in outcomes])
    else:
        for outcome in outcomes:
            echo(outcome.line())
        if not outcomes:
            echo("no run has used a tracker yet")
    return int(any(outcome.undelivered for outcome in outcomes))
