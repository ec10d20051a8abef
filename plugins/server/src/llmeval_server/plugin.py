"""What this plugin offers: the commands of the server."""

from __future__ import annotations

from collections.abc import Iterable

import click

from llmeval_core.hooks import hookimpl
from llmeval_server.commands import jobs, serve, worker


@hookimpl
def llmeval_register_commands() -> Iterable[click.Command]:
    """Offer `llmeval serve`, `llmeval worker` and `llmeval jobs`."""
    yield serve.command
    yield worker.command
    yield jobs.command
