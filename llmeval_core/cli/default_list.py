"""A command group that lists components when no subcommand is named."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from llmeval_core.errors import UnknownNameError

_MEANT = f"{__name__}.meant"
"""Where a context keeps which subcommand a name could have been."""


class DefaultListGroup(click.Group):
    """Reads what is no subcommand as arguments of `list`: `datasets jsonl`, `trackers --json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front, unless a subcommand or help is asked for."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        asks_help = first is None and set(ctx.help_option_names) & set(args)
        if first not in self.commands and not asks_help and not ctx.resilient_parsing:
            meant = _meant(first, self.commands) if first is not None else None
            if meant is not None and sum(not arg.startswith("-") for arg in args) > 1:
                hint = f"{meant[:1].upper()}{meant[1:]}"
                raise click.UsageError(f"No such command '{first}'. {hint}", ctx=ctx)
            ctx.meta[_MEANT] = meant
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; of a name that nothing has, say which subcommand could be meant."""
        try:
            result: object = super().invoke(ctx)
        except UnknownNameError as err:
            meant = ctx.meta.get(_MEANT)
            if meant is not None:
                err.hint = f"{meant.removesuffix('?')}, the command? {err.hint or ''}".rstrip()
            raise
        return result

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete subcommands, and the names that `list` takes."""
        found = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return found
        return [*found, *self.commands["list"].params[0].shell_complete(ctx, incomplete)]


def _meant(name: str, commands: Iterable[str]) -> str | None:
    # Late, because it imports much, and --help must not.
    from llmeval_core.api import did_you_mean  # noqa: PLC0415

    return did_you_mean(name, commands)
