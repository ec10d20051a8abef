"""What actions share: plugins loaded once, the catalogue, commands of plugins."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import click

from llmeval_core.api import Kind, Session, make_session
from llmeval_core.cli.console import streams
from llmeval_core.cli.group_options import disabled_plugins
from llmeval_core.cli.logs import log_to_console


def open_session(ctx: click.Context, *, tolerant: bool = False) -> Session:
    """Load the plugins and build the catalogue; warnings go to standard error.

    What plugins print goes there too, until the command ends.

    Args:
        ctx: knows which plugins are to be left alone.
        tolerant: whether broken plugins are accepted even if LLMEVAL_STRICT_PLUGINS is set, for
            commands that tell what is wrong with them.

    Raises:
        PluginError: a plugin is broken, and LLMEVAL_STRICT_PLUGINS is set.
    """
    found = streams(ctx)
    if found is not None:
        found.redirect_plugins()
    return _load(ctx, tolerant=tolerant)


def plugin_commands(ctx: click.Context) -> dict[str, click.Command]:
    """Load the commands that plugins offer, by name; what these print is their output."""
    with _plugins_redirected(ctx):
        commands = _load(ctx, tolerant=False).host.registered("commands")
    return {command.name: command for command in commands if command.name}


def component_summaries(ctx: click.Context, kind: Kind) -> dict[str, str]:
    """Return the summaries of all components of one kind, by name."""
    with _plugins_redirected(ctx):
        catalog = make_session(disabled=disabled_plugins(ctx), tolerant=True).catalog
    components = (registered.component for registered in catalog.components(kind))
    return {component.name: component.summary for component in components}


def _load(ctx: click.Context, *, tolerant: bool) -> Session:
    found = streams(ctx)
    log_to_console(is_debug=found is not None and found.shows_tracebacks)
    return make_session(disabled=disabled_plugins(ctx), tolerant=tolerant)


def _plugins_redirected(ctx: click.Context) -> AbstractContextManager[None]:
    """Send to standard error what plugins print while they are loaded."""
    found = streams(ctx)
    return found.plugins_redirected() if found is not None else nullcontext()
