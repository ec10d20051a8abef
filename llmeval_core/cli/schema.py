"""`llmeval schema`: the JSON Schema of the run file."""

from __future__ import annotations

import click


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
    from llmeval_core.cli.schema_action import print_schema  # noqa: PLC0415  late: see `options`

    print_schema(ctx)
