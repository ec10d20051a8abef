"""`llmeval plugin check`: does an installed plugin keep the promises of its kind?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import click
from rich.table import Table

from llmeval_core.api import Session, UnknownNameError
from llmeval_core.cli.console import add_row, echo, echo_json, print_table
from llmeval_core.cli.event_loop import run_until_complete
from llmeval_core.cli.group import COMMANDS
from llmeval_core.cli.session import open_session
from llmeval_core.host import Plugin
from llmeval_core.naming import did_you_mean
from llmeval_core.testing import Trial, Verdict, try_plugin

_COLOURS = {"wrong": "red", "untried": "dim"}


@click.command()
@click.argument("name", required=False)
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    metavar="PROVIDER/MODEL",
    help="Ask this model for real: twice for each way in which it can be asked.",
)
@click.option("--download", is_flag=True, help="Try data sets that are downloaded first, too.")
@click.option("--varies", is_flag=True, help="Metrics may score the same answer differently.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of plugins as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str | None,
    *,
    models: tuple[str, ...],
    download: bool,
    varies: bool,
    as_json: bool,
) -> int:
    """Check that an installed plugin keeps the promises of what it offers.

    NAME is that of the plugin, as `llmeval plugins` shows it, or of its distribution; all plugins
    if left out. Nothing is delivered to a tracker, no model is asked without -m, and nothing is
    downloaded without --download. Exit code 1 if something is wrong.

    \b
    Examples:
      llmeval plugin check shouting
      llmeval plugin check my_server -m my_server/small
    """
    session = open_session(ctx, tolerant=True)
    trial = Trial(models=models, downloads=download, varies=varies)
    plugins = _named(session.host.plugins, name)
    found = {
        index: [*run_until_complete(try_plugin(plugin, trial)), *_conflicts(plugin, session)]
        for index, plugin in enumerate(plugins)
    }
    if as_json:
        echo_json([_as_json(plugin, found[index]) for index, plugin in enumerate(plugins)])
    else:
        for index, plugin in enumerate(plugins):
            _print(plugin, found[index])
    return int(any(one.state == "wrong" for verdicts in found.values() for one in verdicts))


def _named(plugins: Sequence[Plugin], name: str | None) -> list[Plugin]:
    """Choose the plugins of a name.

    Raises:
        UnknownNameError: no plugin and no distribution is called so.
    """
    chosen = [one for one in plugins if name in (None, one.name, one.distribution)]
    if not chosen and name is not None:
        known = {word for one in plugins for word in (one.name, one.distribution)}
        meant = did_you_mean(name, known)
        raise UnknownNameError(
            f"no plugin is called '{name}'",
            hint=f"{meant} " * bool(meant) + "`llmeval plugins` lists what is installed",
        )
    return chosen


def _conflicts(plugin: Plugin, session: Session) -> Iterable[Verdict]:
    """Find names that somebody else has too."""
    for kind, names in plugin.names.items():
        for other in session.host.plugins:
            for name in set(names) & set(other.names.get(kind, ())) if other is not plugin else ():
                told = f"{other.name} ({other.label}) offers that name too"
                yield Verdict(f"{kind.removesuffix('s')} '{name}'", "wrong", told)
        for name in names if kind == "commands" else ():
            if name in COMMANDS:
                told = "llmeval has a command of that name, and always runs its own"
                yield Verdict(f"command '{name}'", "wrong", told)


def _print(plugin: Plugin, verdicts: list[Verdict]) -> None:
    echo(f"{plugin.name} ({plugin.label})")
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2))
    for one in verdicts:
        style = _COLOURS.get(one.state)
        add_row(table, one.state, one.subject, one.detail or "", style=style)
    print_table(table)


def _as_json(plugin: Plugin, verdicts: list[Verdict]) -> dict[str, Any]:
    """Return what was found of a plugin; Any: JSON."""
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "checks": [asdict(one) for one in verdicts],
    }
