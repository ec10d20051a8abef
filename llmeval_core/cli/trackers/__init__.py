"""`llmeval trackers`: what is on offer, how each one stands, deliver, fill a new one."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem

from llmeval_core.cli.sync import command as sync
from llmeval_core.cli.trackers.copying import command as copy
from llmeval_core.cli.trackers.listing import command as listing
from llmeval_core.cli.trackers.status import command as status


class _Trackers(click.Group):
    """Takes what is no subcommand for the name of a tracker: `trackers mlflow`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put in the subcommand `list` where none is named."""
        is_help = args[:1] and args[0] in ctx.help_option_names
        is_completion = ctx.resilient_parsing and not args
        if is_help or is_completion or (args and args[0] in self.commands):
            return super().parse_args(ctx, args)
        return super().parse_args(ctx, ["list", *args])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete subcommands and the names of trackers."""
        name = listing.params[0]
        return [*super().shell_complete(ctx, incomplete), *name.shell_complete(ctx, incomplete)]


def _make_group() -> click.Group:
    commands: dict[str, Any] = {"list": listing, "status": status, "sync": sync, "copy": copy}
    return _Trackers(
        "trackers",
        commands=commands,
        help="""List trackers, see what each one has, deliver what it lacks, fill a new one.

        Without a subcommand: the list; with the NAME of a tracker, its settings and an example.

        \b
        Examples:
          llmeval trackers
          llmeval trackers mlflow
          llmeval trackers status
          llmeval trackers copy mlflow:http://new-server:5000
        """,
    )


command = _make_group()
