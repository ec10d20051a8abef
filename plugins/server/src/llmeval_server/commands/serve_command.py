"""`llmeval serve`: API, pages and a worker for jobs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from llmeval_server.settings_sources import read_settings, settings_options

_FLAGS = (
    "host",
    "port",
    "home",
    "jobs_at_once",
    "data_folders",
    "model_urls",
    "job_variables",
    "allowed_hosts",
    "root_path",
    "trusted_proxies",
    "plan_seconds",
    "plans_at_once",
    "max_plan_samples",
    "max_plan_bytes",
    "max_plan_megabytes",
    "max_items",
    "max_job_tasks",
    "max_query_values",
    "max_request_bytes",
    "requests_per_minute",
)


@click.command("serve", short_help="Serve the job API and the pages, and run jobs.")
@settings_options(*_FLAGS)
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the token that clients must present.  [LLMEVAL_TOKEN_FILE, or the token"
    " itself in LLMEVAL_TOKEN]",
)
@click.option("--no-worker", is_flag=True, help="Run no jobs: `llmeval worker` does elsewhere.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    token_file: Path | None,
    *,
    no_worker: bool,
    **flags: Any,  # Any: checked with the settings
) -> None:
    """Serve the job API and the pages, and run jobs.

    Only this machine can reach it unless --host says otherwise; then a token is needed. Jobs are
    kept in the home folder, and go on after any crash. Ctrl-C ends everything.

    \b
    Examples:
      llmeval serve
      llmeval serve --port 0 --home /tmp/try
      LLMEVAL_TOKEN=... llmeval serve --host 0.0.0.0 --data-folder /data
    """
    settings = read_settings(flags, token_file=token_file, environ=os.environ)
    # Late, because it imports the whole server.
    from llmeval_server.server_main import serve  # noqa: PLC0415

    serve(settings, with_worker=not no_worker, disabled=disabled_plugins(ctx))


def disabled_plugins(ctx: click.Context) -> list[str]:
    """List the plugins that `llmeval -p no:NAME` disables."""
    given: tuple[str, ...] = ctx.find_root().params.get("plugins") or ()
    return [value.removeprefix("no:") for value in given]
