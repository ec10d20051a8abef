"""`llmeval jobs list`: list jobs, newest first."""

from __future__ import annotations

import time
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table

from llmeval_core.api import shown
from llmeval_server.commands.job_commands.api_client import run_with_api
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)
from llmeval_server.jobs.job_records import Job, JobState
from llmeval_server.rest_api.job_list import JobList


@click.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(get_args(JobState)),
    help="Only these; may be repeated.",
)
@click.option(
    "--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Most jobs."
)
@json_option
@server_options
def command(
    *,
    server_url: str,
    token_file: Path | None,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """List jobs, newest first."""
    server = read_server(server_url, token_file)
    page = run_with_api(
        server, lambda api: api.get("jobs", JobList, state=list(states), limit=limit)
    )
    if as_json:
        click.echo(page.model_dump_json(indent=2))
        return
    table = Table(header_style="bold")
    table.add_column("id", no_wrap=True, min_width=20)
    for heading in ("name", "state", "submitted (UTC)", "took"):
        table.add_column(heading)
    for job in page.jobs:
        table.add_row(job.id, shown(job.name), job.state, when(job.submitted_at), took(job))
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(table)
    console.print(f"{len(page.jobs)} of {page.n_jobs}")


def when(seconds: float) -> str:
    """Format a point in time, UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


def took(job: Job) -> str:
    """Format how long a job ran, or has run so far; empty before it starts."""
    if job.started_at is None:
        return ""
    elapsed_s = (job.ended_at or time.time()) - job.started_at
    minutes, seconds = divmod(max(0, round(elapsed_s)), 60)
    return f"{minutes}:{seconds:02}"
