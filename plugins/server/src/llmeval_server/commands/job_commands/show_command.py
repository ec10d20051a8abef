"""`llmeval jobs show`: show a job, or watch it."""

from __future__ import annotations

from pathlib import Path

import click

from llmeval_core.api import shown
from llmeval_server.commands.job_commands.api_client import ApiClient, run_with_api
from llmeval_server.commands.job_commands.job_report import (
    exit_code,
    print_report,
    results_of,
    watch,
)
from llmeval_server.commands.job_commands.list_command import took, when
from llmeval_server.commands.job_commands.progress_view import details
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)
from llmeval_server.jobs.job_records import Job, JobProgress


@click.command("show")
@click.argument("job_id")
@click.option("-f", "--follow", is_flag=True, help="Watch it until it is over.")
@json_option
@server_options
def command(
    job_id: str, *, server_url: str, token_file: Path | None, follow: bool, as_json: bool
) -> int:
    """Show a job: its state, its progress, its outcome.

    The exit code of a job that is over is that of `llmeval run`.
    """
    server = read_server(server_url, token_file)

    async def work(api: ApiClient) -> int:
        job = await api.get(f"jobs/{job_id}", Job)
        if follow:
            return await watch(api, job, as_json=as_json)
        if as_json:
            click.echo(job.model_dump_json(indent=2))
            return 0
        progress = await api.get(f"jobs/{job_id}/progress", JobProgress)
        _print(job, progress)
        if not job.is_over:
            return 0
        print_report(job, await results_of(api, job))
        return exit_code(job)

    return run_with_api(server, work)


def _print(job: Job, progress: JobProgress) -> None:
    click.echo(f"job {job.id} ({shown(job.name)}): {job.state}")
    attempt = f", attempt {job.attempt}" if job.attempt > 1 else ""
    running = f", ran {took(job)}" if job.started_at is not None else ""
    click.echo(f"  submitted {when(job.submitted_at)} UTC{running}{attempt}")
    for task in progress.tasks:
        click.echo(f"  {shown(task.model)} {shown(task.task)}: {details(task)}")
