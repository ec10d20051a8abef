"""`llmeval plugins`: what is installed, what it offers, why one does not work."""

from __future__ import annotations

from typing import Any

import click

_OF_PLUGIN = ("new", "check")
"""What `llmeval plugin` does."""


class _ListCommand(click.Command):
    """Takes no words; who writes those of `llmeval plugin` is told so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse the words of the other command."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        if first in _OF_PLUGIN and not ctx.resilient_parsing:
            meant = f"llmeval plugin {' '.join(args)}"
            raise click.UsageError(f"this command only lists. Did you mean '{meant}'?", ctx=ctx)
        return super().parse_args(ctx, args)


@click.command(cls=_ListCommand)
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
