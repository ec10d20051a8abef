"""`llmeval schema`: the JSON Schema of the run file."""

from __future__ import annotations

import click

from llmeval_core.api import run_file_schema
from llmeval_core.cli.console import echo_json
from llmeval_core.cli.session import open_session


@click.command()
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Print the JSON Schema of the run file, with the settings of every installed plugin.

    An editor that knows JSON Schema completes and checks a run file with it. Most look for a
    first line such as `# yaml-language-server: $schema=llmeval.schema.json`.

    \b
    Example:
      llmeval schema > llmeval.schema.json
    """
    echo_json(run_file_schema(open_session(ctx).catalog))
