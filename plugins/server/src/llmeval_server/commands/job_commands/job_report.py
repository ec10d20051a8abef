"""Reports how a job ended: its results, its errors, and the exit code of `llmeval run`."""

from __future__ import annotations

import asyncio

import click
from rich.console import Console
from rich.table import Table

from llmeval_core.api import cell_text, outcome_notes, run_counts_text, shown, waiting_text
from llmeval_core.hooks import TaskResult
from llmeval_server.commands.job_commands.api_client import ApiClient
from llmeval_server.commands.job_commands.job_follower import follow
from llmeval_server.commands.job_commands.progress_view import make_view
from llmeval_server.jobs.job_end import format_error
from llmeval_server.jobs.job_records import Job

_MAX_RESULTS = 100


def exit_code(job: Job) -> int:
    """Return the exit code: 130 cancelled, 2 failed, 1 with failed samples, 0 without."""
    if job.state == "cancelled":
        return 130
    if job.state == "failed":
        return 2
    outcome = job.outcome
    return int(outcome is not None and bool(outcome.n_failed or outcome.n_undelivered))


async def watch(api: ApiClient, job: Job, *, as_json: bool) -> int:
    """Watch a job to its end, print a report, and return the exit code.

    Raises:
        ServerError: the server refuses, or could not be reached for long.
    """
    try:
        with make_view(Console(stderr=True), quiet=as_json) as view:
            job = await follow(api, job.id, view)
    except asyncio.CancelledError:  # Ctrl-C
        click.echo(
            f"\nstopped watching; the job goes on: `llmeval jobs show {job.id} --follow` watches"
            f" again, `llmeval jobs cancel {job.id}` stops it",
            err=True,
        )
        raise
    if as_json:
        click.echo(job.model_dump_json(indent=2))
    else:
        results = await results_of(api, job)
        print_report(job, results)
    return exit_code(job)


async def results_of(api: ApiClient, job: Job) -> list[TaskResult]:
    """Fetch a job's results."""
    ids = job.outcome.results[:_MAX_RESULTS] if job.outcome is not None else ()
    return [await api.get(f"results/{result_id}", TaskResult) for result_id in ids]


def print_report(job: Job, results: list[TaskResult]) -> None:
    """Print the results, numbers and errors of a job that is over."""
    console = Console(markup=False, emoji=False, highlight=False)
    if results:
        table = Table("model", "metric", header_style="bold")
        table.add_column("value", justify="right")
        for result in results:
            for metric in result.metrics:
                if metric.category is None:
                    table.add_row(
                        shown(result.model),
                        shown(metric.key),
                        cell_text(metric, outcomes=result.outcomes),
                    )
        console.print(table)
        for note in outcome_notes(results):
            click.echo(shown(note))
    if job.outcome is not None:
        outcome = job.outcome
        line = run_counts_text(outcome, cost=outcome.cost)
        if outcome.n_undelivered:
            line += f", {waiting_text(outcome.n_undelivered)} for a tracker"
        click.echo(line)
    for error in job.errors:
        click.echo(f"error: {shown(format_error(error))}", err=True)
