"""Does a distribution announce the commands that its plugin offers?"""

from __future__ import annotations

from collections.abc import Iterable

import click
import importlib_metadata

from llmeval_core.announced_commands import COMMANDS_GROUP, AnnouncedCommand
from llmeval_core.hooks import ENTRY_POINT_GROUP
from llmeval_core.host import load_plugins

_WHOLE = 10_000


def check_commands(module: str, commands: Iterable[click.Command]) -> None:
    """Check that a plugin's commands are those that its distribution announces.

    `llmeval --help` lists commands by the entry-point group `llmeval.commands`, without importing
    the plugin. A module that is no plugin of an installed distribution is not checked.

    Args:
        module: the plugin's module.
        commands: what its hook `llmeval_register_commands` gives.

    Raises:
        AssertionError: a command is offered and not announced, announced and not offered,
            announced as something else, or has another line of help.
    """
    distribution = _distribution_of(module)
    if distribution is None:
        return
    points = {
        point.name: point for point in distribution.entry_points if point.group == COMMANDS_GROUP
    }
    group = f"the entry-point group '{COMMANDS_GROUP}' of {distribution.name}"
    for command in commands:
        name = str(command.name)
        assert name in points, f"command '{name}' is not in {group}: `llmeval --help` lacks it"
        _check_point(points[name], command, f"command '{name}' in {group}")
    offered = _offered_by(distribution)
    for name in points:
        assert name in offered, (
            f"command '{name}' is in {group}, and no `llmeval_register_commands` gives it"
        )


def _check_point(point: importlib_metadata.EntryPoint, command: click.Command, where: str) -> None:
    try:
        announced = point.load()
    except (ImportError, AttributeError) as err:
        raise AssertionError(f"{where}: '{point.value}' cannot be loaded: {err}") from err
    assert isinstance(announced, click.Command), f"{where}: '{point.value}' is no click command"
    assert announced.name == command.name, (
        f"{where}: '{point.value}' is the command '{announced.name}'"
    )
    listed = AnnouncedCommand(
        point.name, point.value, point.dist.name if point.dist else "?"
    ).summary()
    helped = command.get_short_help_str(limit=_WHOLE)
    assert listed.rstrip(".") == helped.rstrip("."), (
        f"{where}: `llmeval --help` finds the line '{listed}', the command itself has '{helped}';"
        " name the function that has the docstring"
    )


def _offered_by(distribution: importlib_metadata.Distribution) -> set[str]:
    """Name the commands of all plugins of a distribution."""
    points = [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]
    host = load_plugins(entry_points=points, environ={})
    return {str(command.name) for command in host.registered("commands")}


def _distribution_of(module: str) -> importlib_metadata.Distribution | None:
    """Find the installed distribution that has this module as a plugin."""
    for distribution in importlib_metadata.distributions():
        for point in distribution.entry_points:
            if point.group == ENTRY_POINT_GROUP and point.module == module:
                return distribution
    return None
