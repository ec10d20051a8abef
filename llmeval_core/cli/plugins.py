"""`llmeval plugins`: what is installed, what it offers, why one does not work."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from llmeval_core.cli.console import add_row, echo, echo_json, print_table
from llmeval_core.cli.session import open_session
from llmeval_core.host import Plugin

_MOST_NAMES = 4


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of plugins as JSON.")
@click.pass_context
def command(ctx: click.Context, /, *, as_json: bool) -> None:
    """List plugins: entry point, distribution, state, load time, offers, why one is broken.

    Leave one alone with `llmeval -p no:NAME ...` or LLMEVAL_DISABLE_PLUGINS=NAME,NAME; of two that
    share a name, one with DISTRIBUTION:NAME. With LLMEVAL_STRICT_PLUGINS=1 a broken plugin stops
    every run, and so does a distribution whose entry points cannot be read.

    \b
    Example:
      llmeval plugins
    """
    plugins = open_session(ctx, tolerant=True).host.plugins
    if as_json:
        echo_json([_as_json(plugin) for plugin in plugins])
        return
    if not plugins:
        echo("no plugin is installed; llmeval-suite brings those that most people need")
        return
    table = Table("name", "distribution", "version", "state", box=None, pad_edge=False)
    table.add_column("ms", justify="right")
    table.add_column("offers")
    for plugin in plugins:
        load_ms = f"{plugin.load_s * 1000:.1f}" if plugin.state != "disabled" else ""
        place = (plugin.name, plugin.distribution, plugin.version)
        add_row(table, *place, plugin.state, load_ms, _offers(plugin))
    print_table(table)
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
