"""`llmeval jobs submit`: a run file becomes a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from llmeval_core.api import read_config
from llmeval_core.hooks import ConfigError
from llmeval_server.commands.job_commands.api_client import ApiClient, run_with_api
from llmeval_server.commands.job_commands.job_report import watch
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)
from llmeval_server.jobs.job_records import Job

_FLAGS = (
    click.option("-m", "--model", "models", multiple=True, metavar="PROVIDER/MODEL",
                 help="A model; may be repeated."),
    click.option("-d", "--dataset", "datasets", multiple=True, metavar="NAME[:ARGUMENT]",
                 help="A data set; may be repeated."),
    click.option("--shots", multiple=True, metavar="N,N",
                 help="Numbers of examples, such as 0,4; may be repeated."),
    click.option("--metric", "metrics", multiple=True, metavar="NAME",
                 help="A metric; may be repeated."),
    click.option("--tracker", "trackers", multiple=True, metavar="NAME",
                 help="A tracker; may be repeated."),
    click.option("--limit", type=click.IntRange(min=1), metavar="N",
                 help="First N samples of each task."),
    click.option("--max-tokens", type=click.IntRange(min=1), metavar="N",
                 help="Most tokens of each generation."),
)  # fmt: skip


def _flags(command: click.decorators.FC) -> click.decorators.FC:
    for option in reversed(_FLAGS):
        command = option(command)
    return command


@click.command("submit")
@click.argument("run_file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@_flags
@click.option("--name", metavar="TEXT", help="What to call the job.")
@click.option(
    "--key", metavar="KEY", help="The same key again gives the job that is there already."
)
@click.option("-f", "--follow", is_flag=True, help="Watch it until it is over.")
@json_option
@server_options
def command(
    run_file: Path | None,
    *,
    server_url: str,
    token_file: Path | None,
    name: str | None,
    key: str | None,
    follow: bool,
    as_json: bool,
    **flags: Any,  # Any: each of its own type
) -> int:
    """Submit a run file as a job.

    Flags win over the run file, as with `llmeval run`. Files that it names are the server's, and
    so are environment variables. With --follow, Ctrl-C stops watching only, and the exit code
    is that of `llmeval run`.

    \b
    Examples:
      llmeval jobs submit eval.yaml --follow
      llmeval jobs submit -m openai/gpt-4o-mini -d commonsense_qa --limit 50
    """
    server = read_server(server_url, token_file)
    if key is not None and not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError("a key is ASCII text without spaces", where="--key")
    body, content_type = _body(run_file, flags)

    async def work(api: ApiClient) -> int:
        headers = {"Content-Type": content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        job = await api.post("jobs", Job, body=body, headers=headers, name=name)
        if follow:
            return await watch(api, job, as_json=as_json)
        if as_json:
            click.echo(job.model_dump_json(indent=2))
        else:
            click.echo(f"job {job.id} ({job.name}): {job.state}")
            click.echo(f"`llmeval jobs show {job.id} --follow` watches it", err=True)
        return 0

    return run_with_api(server, work)


def _body(run_file: Path | None, flags: dict[str, Any]) -> tuple[bytes, str]:
    """Return the file as it is, so that errors name its lines; or merged with the flags.

    Raises:
        ConfigError: the file cannot be read, or it or a flag is wrong.
    """
    if run_file is not None and not any(value not in (None, ()) for value in flags.values()):
        try:
            return run_file.read_bytes(), "application/yaml"
        except OSError as err:
            raise ConfigError(
                f"cannot read the run file: {err.strerror}",
                where=str(run_file),
                hint="name a file that exists, or give -m and -d instead",
            ) from err
    config, _ = read_config(run_file, **flags)
    run = config.model_dump(mode="json", exclude_unset=True)
    return json.dumps({"run": run}).encode(), "application/json"
