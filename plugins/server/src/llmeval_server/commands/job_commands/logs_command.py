"""`llmeval jobs logs`: print a job's log."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llmeval_core.api import shown
from llmeval_server.commands.job_commands.api_client import ApiClient, run_with_api
from llmeval_server.commands.job_commands.job_follower import resumed_events
from llmeval_server.commands.job_commands.server_options import (
    json_option,
    read_server,
    server_options,
)


@click.command("logs")
@click.argument("job_id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job is over.")
@json_option
@server_options
def command(
    job_id: str, *, server_url: str, token_file: Path | None, follow: bool, as_json: bool
) -> None:
    """Print a job's log; with --json, one object a line."""
    server = read_server(server_url, token_file)

    def write(text: str) -> None:
        for line in text.splitlines():
            click.echo(json.dumps({"line": line}) if as_json else shown(line))

    async def work(api: ApiClient) -> None:
        if follow:
            async for event in resumed_events(api, f"jobs/{job_id}/log/events"):
                if event.name == "log":
                    write(json.loads(event.data)["text"])
            return
        offset = 0
        while True:
            text, headers = await api.text(f"jobs/{job_id}/log", offset=offset)
            write(text)
            end = int(headers.get("Llmeval-Next-Offset", offset))
            if not text or end <= offset:
                return
            offset = end

    run_with_api(server, work)
