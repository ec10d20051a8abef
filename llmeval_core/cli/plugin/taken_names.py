"""Names that a new plugin cannot have, because a component or a command has them."""

from __future__ import annotations

import click

from llmeval_core.announced_commands import announced_commands
from llmeval_core.api import KINDS, ConfigError
from llmeval_core.cli.plugin.project import with_article
from llmeval_core.cli.plugin_session import open_session


def refuse_taken(ctx: click.Context, kind: str, name: str) -> None:
    """Refuse a name that an installed plugin offers already: nobody could use either.

    Args:
        ctx: knows which plugins are left alone.
        kind: of the new component, such as `metric`.
        name: its name.

    Raises:
        ConfigError: an installed plugin has it.
    """
    owners: list[str] = []
    if kind == "command":
        announced = announced_commands().get(name)
        owners = [announced.distribution] if announced is not None else []
    for plural in KINDS:
        if plural.removesuffix("s") == kind:
            listed = open_session(ctx, tolerant=True).catalog.components(plural)
            owners = [one.distribution for one in listed if one.component.name == name]
    if owners:
        raise ConfigError(
            f"there is {with_article(kind)} '{name}' already, of {owners[0]}",
            hint="choose another name",
        )
