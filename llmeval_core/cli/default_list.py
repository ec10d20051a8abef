"""A command group that lists components when no subcommand is named."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


class DefaultListGroup(click.Group):
    """Reads what is no subcommand as arguments of `list`: `datasets jsonl`, `trackers --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front, unless a subcommand or help is asked for."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        asks_help = first is None and set(ctx.help_option_names) & set(args)
        if first not in self.commands and not asks_help and not ctx.resilient_parsing:
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete subcommands, and the names that `list` takes."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return found
        return [*found, *self.commands["list"].params[0].shell_complete(ctx, incomplete)]
