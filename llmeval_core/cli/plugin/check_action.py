"""What `llmeval plugin check` does; imported when it is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import click

from llmeval_core.api import Plugin, Session, UnknownNameError, did_you_mean, run_until_complete
from llmeval_core.cli.console import echo, echo_json, echo_table
from llmeval_core.cli.group import COMMANDS
from llmeval_core.cli.plugin_session import open_session
from llmeval_core.cli.tables import Column, Table
from llmeval_core.testing import Trial, TrialVerdict, try_plugin

_STYLES = {"wrong": "red", "untried": "dim"}


def check_plugins(ctx: click.Context, name: str | None, *, trial: Trial, as_json: bool) -> int:
    """Try the plugins of a name, or all, print what was found, and return the exit code.

    Raises:
        UnknownNameError: no plugin and no distribution is called so.
    """
    session = open_session(ctx, tolerant=True)
    plugins = _named(session.host.plugins, name)
    _refuse_other_models(plugins, trial)
    found = [
        (one, [*run_until_complete(try_plugin(one, trial)), *_conflicts(one, session)])
        for one in plugins
    ]
    if as_json:
        echo_json([_as_json(plugin, verdicts) for plugin, verdicts in found])
    else:
        for plugin, verdicts in found:
            _print(plugin, verdicts)
    return int(any(one.state == "wrong" for _, verdicts in found for one in verdicts))


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


def _refuse_other_models(plugins: list[Plugin], trial: Trial) -> None:
    """Refuse a model that is to be asked, and is of no plugin that is checked.

    Raises:
        UnknownNameError: no such plugin offers its provider.
    """
    known = {name for one in plugins for name in one.names.get("models", ())}
    for model in trial.models:
        provider, slash, _ = model.partition("/")
        if not slash or provider not in known:
            listed = f"write PROVIDER/MODEL, with one of: {', '.join(sorted(known)) or 'none'}"
            raise UnknownNameError(
                f"what is checked has no model provider '{provider}'"
                if slash
                else f"'{model}' is not of the form provider/model",
                where=f"-m {model}",
                hint=did_you_mean(provider, known) or listed if slash else listed,
            )


def _conflicts(plugin: Plugin, session: Session) -> Iterable[TrialVerdict]:
    """Find names that somebody else has too."""
    for kind, names in plugin.names.items():
        for other in session.host.plugins:
            for name in set(names) & set(other.names.get(kind, ())) if other is not plugin else ():
                told = f"{other.name} ({other.label}) offers that name too"
                yield TrialVerdict(f"{kind.removesuffix('s')} '{name}'", "wrong", told)
        for name in names if kind == "commands" else ():
            if name in COMMANDS:
                told = "llmeval has a command of that name, and always runs its own"
                yield TrialVerdict(f"command '{name}'", "wrong", told)


def _print(plugin: Plugin, verdicts: list[TrialVerdict]) -> None:
    echo(f"{plugin.name} ({plugin.label})")
    table = Table([Column(), Column(wraps=True), Column(wraps=True)])
    for one in verdicts:
        table.add(one.state, one.subject, one.detail or "", style=_STYLES.get(one.state))
    echo_table(table)


def _as_json(plugin: Plugin, verdicts: list[TrialVerdict]) -> dict[str, Any]:
    """Return what was found of a plugin; Any: JSON."""
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "checks": [asdict(one) for one in verdicts],
    }
