"""The commands that this plugin registers."""

from __future__ import annotations

from collections.abc import Iterable

import click

from llmeval_core.hooks import hookimpl
from llmeval_server.commands import job_commands, serve_command, worker_command


@hookimpl
def llmeval_register_commands() -> Iterable[click.Command]:
    """Register `llmeval serve`, `llmeval worker` and `llmeval jobs`."""
    yield serve_command.command
    yield worker_command.command
    yield job_commands.command
