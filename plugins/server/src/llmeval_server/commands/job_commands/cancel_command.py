"""`llmeval jobs cancel`: ask jobs to stop."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llmeval_server.commands.job_commands.api_client import ApiClient, run_with_api
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)
from llmeval_server.jobs.job_records import Job


@click.command("cancel")
@click.argument("job_ids", nargs=-1, required=True, metavar="JOB_ID...")
@json_option
@server_options
def command(
    job_ids: tuple[str, ...], *, server_url: str, token_file: Path | None, as_json: bool
) -> None:
    """Ask jobs to stop; what is finished is kept, and `retry` goes on from there."""
    server = read_server(server_url, token_file)

    async def work(api: ApiClient) -> list[Job]:
        return [await api.post(f"jobs/{job_id}/cancel", Job) for job_id in job_ids]

    jobs = run_with_api(server, work)
    if as_json:
        click.echo(json.dumps([job.model_dump(mode="json") for job in jobs], indent=2))
        return
    for job in jobs:
        click.echo(f"job {job.id} ({job.name}): {job.state}")
