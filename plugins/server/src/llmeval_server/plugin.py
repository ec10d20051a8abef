"""What this plugin offers: the commands of the server."""

from __future__ import annotations

from collections.abc import Iterable

import click

from llmeval_core.hooks import hookimpl
from llmeval_server.commands import serve, worker


@hookimpl
def llmeval_register_commands() -> Iterable[click.Command]:
    """Offer `llmeval serve` and `llmeval worker`."""
    yield serve.command
    yield worker.command
