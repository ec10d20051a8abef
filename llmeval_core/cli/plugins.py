"""`llmeval plugins`: what is installed, what it offers, why one does not work."""

from __future__ import annotations

from typing import Any

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of plugins as JSON.")
@click.pass_context
def command(ctx: click.Context, /, **arguments: Any) -> None:  # Any: each of its own type
    """List plugins: entry point, distribution, state, load time, offers, why one is broken.

    Leave one alone with `llmeval -p no:NAME ...` or LLMEVAL_DISABLE_PLUGINS=NAME,NAME; of two that
    share a name, one with DISTRIBUTION:NAME. With LLMEVAL_STRICT_PLUGINS=1 a broken plugin stops
    every run, and so does a distribution whose entry points cannot be read.

    \b
    Example:
      llmeval plugins
    """
    from llmeval_core.cli.plugins_action import show_plugins  # noqa: PLC0415  late: see `options`

    show_plugins(ctx, **arguments)
