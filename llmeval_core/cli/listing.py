"""Lists of data sets, models, metrics and trackers, and one of them described."""

from __future__ import annotations

from typing import Literal

import click

from llmeval_core.cli.options import complete_components


def make_listing(
    kind: Literal["datasets", "tasks", "models", "metrics", "solvers", "tools", "trackers"],
    command_help: str,
) -> click.Command:
    """Make the command `llmeval <kind> [NAME]`."""

    @click.command(help=command_help)
    @click.argument("name", required=False, shell_complete=complete_components(kind))
    @click.option(
        "--json", "as_json", is_flag=True, help="Print JSON; with NAME, its settings' JSON Schema."
    )
    @click.pass_context
    def listing(ctx: click.Context, /, name: str | None, *, as_json: bool) -> None:
        from llmeval_core.cli.listing_action import show_components  # noqa: PLC0415  late: see `options`

        show_components(ctx, kind, name=name, as_json=as_json)

    return listing
