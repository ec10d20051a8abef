"""What `llmeval schema` does."""

from __future__ import annotations

import click

from llmeval_core.api import run_file_schema
from llmeval_core.cli.console import echo_json
from llmeval_core.cli.plugin_session import open_session


def print_schema(ctx: click.Context) -> None:
    """Print the JSON Schema of the run file."""
    echo_json(run_file_schema(open_session(ctx).catalog))
