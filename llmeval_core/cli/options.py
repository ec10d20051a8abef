"""Options and arguments that several commands share, with shell completion.

Commands import this to describe themselves, so it imports nothing heavy: what a completion needs
is imported when a shell asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from click.shell_completion import CompletionItem

from llmeval_core.paths import DEFAULT_HOME, HOME_VARIABLE, expand_path

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class _Folder(click.Path):
    """A folder, in whose path `~` and `$NAME` are expanded: an env file has no shell."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:  # Any: as click has it
        if value == "":
            self.fail("is empty; is a variable not set?", param, ctx)
        return super().convert(expand_path(value), param, ctx)


def home_option(command: CommandT) -> CommandT:
    """Add `--home`."""
    return click.option(
        "--home",
        type=_Folder(readable=False, path_type=Path),  # the journal says more of what is wrong
        default=Path(DEFAULT_HOME),
        envvar=HOME_VARIABLE,
        show_envvar=True,
        show_default=True,
        help="Folder of the journal and of what trackers keep.",
    )(command)


def key_argument(command: CommandT) -> CommandT:
    """Add KEY: a task or one of its metrics."""
    return click.argument("key", shell_complete=complete_from_journal("key"))(command)


def models_option(command: CommandT) -> CommandT:
    """Add `-m`: only the results of some models."""
    return click.option(
        "-m",
        "--model",
        "models",
        multiple=True,
        metavar="PROVIDER/MODEL",
        help="Only this model; may be repeated.",
        shell_complete=complete_from_journal("model"),
    )(command)


def complete_components(
    kind: Literal[
        "datasets", "tasks", "models", "metrics", "solvers", "tools", "trackers", "executors"
    ],
    *,
    suffix: str = "",
) -> Complete:
    """Make a completion of the names of one kind of component, each with its summary.

    Args:
        kind: which names.
        suffix: what follows each name, such as the slash of `provider/model`.
    """

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from llmeval_core.cli.plugin_session import component_summaries  # noqa: PLC0415  late, see above

        return [
            CompletionItem(name + suffix, help=summary)
            for name, summary in sorted(component_summaries(ctx, kind).items())
            if (name + suffix).startswith(incomplete)
        ]

    return complete


def complete_from_journal(what: Literal["key", "model", "dataset"]) -> Complete:
    """Make a completion of what results in the journal are called; nothing without a journal.

    Args:
        what: keys of tasks and metrics, names of models, or names of data sets.
    """

    def complete(
        ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from llmeval_core.cli.journal_names import journal_names  # noqa: PLC0415  late, see above

        home = ctx.params.get("home") or Path(DEFAULT_HOME)
        names = journal_names(home, what)
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]

    return complete
