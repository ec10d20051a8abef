"""`llmeval jobs retry`: queue a job that is over again."""

from __future__ import annotations

from pathlib import Path

import click

from llmeval_server.commands.job_commands.api_client import ApiClient, run_with_api
from llmeval_server.commands.job_commands.job_report import watch
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)
from llmeval_server.jobs.job_records import Job


@click.command("retry")
@click.argument("job_id")
@click.option("-f", "--follow", is_flag=True, help="Watch it until it is over.")
@json_option
@server_options
def command(
    job_id: str, *, server_url: str, token_file: Path | None, follow: bool, as_json: bool
) -> int:
    """Queue a job that is over again; finished samples are not asked again."""
    server = read_server(server_url, token_file)

    async def work(api: ApiClient) -> int:
        job = await api.post(f"jobs/{job_id}/retry", Job)
        if follow:
            return await watch(api, job, as_json=as_json)
        if as_json:
            click.echo(job.model_dump_json(indent=2))
        else:
            click.echo(f"job {job.id} ({job.name}): {job.state}")
        return 0

    return run_with_api(server, work)
