"""What `llmeval plugins` does."""

from __future__ import annotations

from typing import Any

import click

from llmeval_core.api import Plugin
from llmeval_core.cli.console import echo, echo_json, echo_table
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.tables import Column, Table

_MOST_NAMES = 4


def show_plugins(ctx: click.Context, *, as_json: bool) -> None:
    """Print the plugins."""
    plugins = open_session(ctx, tolerant=True).host.plugins
    if as_json:
        echo_json([_as_json(plugin) for plugin in plugins])
        return
    if not plugins:
        echo("no plugin is installed; llmeval-suite brings those that most people need")
        return
    names = (Column(heading) for heading in ("name", "distribution", "version", "state"))
    table = Table([*names, Column("ms", "right"), Column("offers", wraps=True)])
    for plugin in plugins:
        load_ms = f"{plugin.load_s * 1000:.1f}" if plugin.state != "disabled" else ""
        place = (plugin.name, plugin.distribution, plugin.version)
        table.add(*place, plugin.state, load_ms, _offers(plugin))
    echo_table(table)
    for plugin in plugins:
        if plugin.state == "broken":
            echo(f"\n{plugin.name} ({plugin.label}) is broken: {plugin.reason}")
        elif plugin.reason is not None:
            echo(f"\n{plugin.label} is passed over: {plugin.reason}")


def _offers(plugin: Plugin) -> str:
    lines = []
    for kind, names in plugin.names.items():
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        lines.append(f"{kind}: {', '.join(names[:_MOST_NAMES])}{more}")
    return "\n".join(lines)


def _as_json(plugin: Plugin) -> dict[str, Any]:
    """Return all that is known of a plugin; Any: JSON."""
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "load_ms": round(plugin.load_s * 1000, 1),
        "offers": plugin.names,
        "reason": plugin.reason,
    }
