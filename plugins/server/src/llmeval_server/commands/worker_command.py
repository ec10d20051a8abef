"""`llmeval worker`: run the jobs of a server that has no worker of its own."""

from __future__ import annotations

import os
from typing import Any

import click

from llmeval_server.commands.serve_command import disabled_plugins
from llmeval_server.settings_sources import read_settings, settings_options


@click.command("worker", short_help="Run the jobs of a server that was started with --no-worker.")
@settings_options("home", "jobs_at_once")
@click.option("--under-server", is_flag=True, hidden=True)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    under_server: bool,
    **flags: Any,  # Any: checked with the settings
) -> None:
    """Run the jobs of a server that was started with --no-worker.

    A folder has one worker. When it is told to end, the jobs that run stop within seconds; the
    next worker goes on with them and asks nothing again that was answered.

    \b
    Example:
      llmeval worker --home /srv/llmeval --jobs-at-once 2
    """
    settings = read_settings(flags, environ=os.environ)
    # Late, because it imports DBOS.
    from llmeval_server.worker_main import run_worker  # noqa: PLC0415

    run_worker(settings, under_server=under_server, disabled=disabled_plugins(ctx))
