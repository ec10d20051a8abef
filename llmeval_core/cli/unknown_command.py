"""What to say of a command that does not exist: which was meant, or what brings it."""

from __future__ import annotations

import click

from llmeval_core.announced_commands import announced_commands
from llmeval_core.api import LlmevalError, Plugin, PluginError, did_you_mean, make_session
from llmeval_core.cli.group_options import disabled_plugins

_INSTALLABLE = {
    "serve": "llmeval-server",
    "worker": "llmeval-server",
    "jobs": "llmeval-server",
}
"""Commands of our own distributions that may not be installed."""


def unknown_command(
    ctx: click.Context, name: str, *, known: list[str]
) -> click.UsageError | LlmevalError:
    """Make the error for a command that the command line does not have.

    Args:
        ctx: of the command line; knows which plugins are to be left alone.
        name: what was typed.
        known: every command that there is.
    """
    everywhere = announced_commands()
    if name in everywhere:
        distribution = everywhere[name].distribution
        if name not in announced_commands(disabled_plugins(ctx)):
            return LlmevalError(
                f"the command '{name}' comes with {distribution}, which is disabled",
                hint="leave out `-p no:NAME`, or change LLMEVAL_DISABLE_PLUGINS",
            )
        return _not_given(ctx, name, distribution)
    if name in _INSTALLABLE:
        return LlmevalError(
            f"the command '{name}' comes with {_INSTALLABLE[name]}, which is not installed",
            hint="docs/installing.md says from where: a checkout, git or an index",
        )
    hint = did_you_mean(name, [*known, *_INSTALLABLE]) or "`llmeval --help` lists the commands."
    return click.UsageError(
        f"No such command '{name}'. {hint[:1].upper()}{hint[1:]}", ctx=ctx.find_root()
    )


def _not_given(ctx: click.Context, name: str, distribution: str) -> PluginError:
    """Say why an installed plugin does not give the command that it announces."""
    session = make_session(disabled=disabled_plugins(ctx), tolerant=True)
    for plugin in session.host.broken:
        if _is_of(plugin, distribution):
            return PluginError(
                f"the command '{name}' cannot be used: plugin '{plugin.name}' is broken:"
                f" {plugin.reason}",
                where=plugin.label,
                hint="`llmeval plugins` lists all; install it again if it is not yours to mend",
            )
    return PluginError(
        f"{distribution} announces the command '{name}', and its plugin does not offer it",
        hint="this is a bug in the plugin; tell its author",
    )


def _is_of(plugin: Plugin, distribution: str) -> bool:
    return plugin.distribution.lower().replace("_", "-").replace(".", "-") == distribution
