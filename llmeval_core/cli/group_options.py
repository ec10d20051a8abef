"""Options of the whole command line; `llmeval --help` waits for what is imported here."""

from __future__ import annotations

import os

import click

from llmeval_core.cli.streams import Streams


def debug_option(*, hidden: bool) -> click.Option:
    """Make the option `--debug`, which every command of ours takes; the group shows it."""
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        hidden=hidden,
        envvar=None if hidden else "LLMEVAL_DEBUG",
        show_envvar=not hidden,
        callback=_show_tracebacks,
        help="Print a traceback with each error; may stand anywhere.",
    )


def with_debug(command: click.Command) -> click.Command:
    """Add `--debug` to a command, and to those below it, that have no such option."""
    if not any("--debug" in param.opts for param in command.params):
        command.params.append(debug_option(hidden=True))
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        with_debug(inner)
    return command


def _show_tracebacks(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    streams = ctx.find_object(Streams)
    if value and streams is not None:
        streams.shows_tracebacks = True


def disabled_plugins(ctx: click.Context) -> list[str]:
    """Name the plugins that `-p no:NAME` and LLMEVAL_DISABLE_PLUGINS leave alone."""
    given: tuple[str, ...] = ctx.find_root().params.get("plugins") or ()
    by_variable = os.environ.get("LLMEVAL_DISABLE_PLUGINS", "").replace(" ", "").split(",")
    return [*(value.removeprefix("no:") for value in given), *filter(None, by_variable)]
