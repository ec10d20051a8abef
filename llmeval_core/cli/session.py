"""What commands share: plugins loaded once, the catalogue, the project's folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from llmeval_core.api.default_home import DEFAULT_HOME, HOME_VARIABLE
from llmeval_core.api.printable import shown
from llmeval_core.api.session import Session, lenient, make_session
from llmeval_core.catalog import Kind
from llmeval_core.cli.console import err, streams
from llmeval_core.host import load_plugins
from llmeval_core.paths import expand_path

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


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
        found.keep_plugins_out()
    return _load(ctx, tolerant=tolerant)


def _load(ctx: click.Context, *, tolerant: bool) -> Session:
    handler = logging.StreamHandler(err())
    handler.setFormatter(_Shown("%(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    return make_session(disabled=disabled_plugins(ctx), tolerant=tolerant)


class _Shown(logging.Formatter):
    """Writes log lines that cannot steer the terminal: they tell what servers and plugins said."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one."""
        return shown(super().format(record))


def _plugins_kept_out(ctx: click.Context) -> AbstractContextManager[None]:
    """Send to standard error what plugins print while they are loaded."""
    found = streams(ctx)
    return found.plugins_kept_out() if found is not None else nullcontext()


def disabled_plugins(ctx: click.Context) -> list[str]:
    """Name the plugins that `-p no:NAME` leaves alone."""
    given: tuple[str, ...] = ctx.find_root().params.get("plugins") or ()
    return [value.removeprefix("no:") for value in given]


def plugin_commands(ctx: click.Context) -> dict[str, click.Command]:
    """Find the commands that plugins offer, by name; what these print is their output."""
    with _plugins_kept_out(ctx):
        commands = _load(ctx, tolerant=False).host.offers("commands")
    return {command.name: command for command in commands if command.name}


class _Folder(click.Path):
    """A folder, in whose path `~` and `$NAME` are expanded: an env file has no shell."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:  # Any: as click has it
        return super().convert(expand_path(value), param, ctx)


def home_option(command: CommandT) -> CommandT:
    """Add `--home`."""
    return click.option(
        "--home",
        type=_Folder(file_okay=False, readable=False, path_type=Path),  # the journal says more
        default=Path(DEFAULT_HOME),
        envvar=HOME_VARIABLE,
        show_envvar=True,
        show_default=True,
        help="Folder of the journal and of what trackers keep.",
    )(command)


def complete(
    kind: Kind, *, suffix: str = ""
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Make a shell completion of the names of one kind, each with its summary.

    Args:
        kind: which names.
        suffix: what follows each name, such as the slash of `provider/model`.
    """

    def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        with _plugins_kept_out(ctx):
            host = load_plugins(disabled=disabled_plugins(ctx), environ=lenient(os.environ))
        found = {entry.name + suffix: entry.summary for entry, _ in host.entries(kind)}
        return [
            CompletionItem(name, help=summary)
            for name, summary in sorted(found.items())
            if name.startswith(incomplete)
        ]

    return names
