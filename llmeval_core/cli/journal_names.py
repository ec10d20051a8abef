"""Arguments that name what is in the journal, with shell completion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from llmeval_core.api import existing_journal
from llmeval_core.errors import LlmevalError
from llmeval_core.records import TaskResult

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


def key_argument(command: CommandT) -> CommandT:
    """Add KEY: a task or one of its metrics."""
    return click.argument(
        "key",
        shell_complete=complete_from_results(
            lambda result: [result.task, *(metric.key for metric in result.metrics)]
        ),
    )(command)


def models_option(command: CommandT) -> CommandT:
    """Add `-m`: only the results of some models."""
    return click.option(
        "-m",
        "--model",
        "models",
        multiple=True,
        metavar="PROVIDER/MODEL",
        help="Only this model; may be repeated.",
        shell_complete=complete_from_results(lambda result: [result.model]),
    )(command)


def complete_from_results(
    names_of: Callable[[TaskResult], Iterable[str]],
) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Make a completion of what results are called; nothing if there is no journal."""

    def names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        home = ctx.params.get("home") or Path(".llmeval")
        try:
            with existing_journal(home) as journal, journal.reader() as reader:
                found = {name for result in reader.results() for name in names_of(result)}
        except LlmevalError:  # a completion has nobody to tell
            return []
        return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]

    return names
