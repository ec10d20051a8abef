"""Shell completion of names that are in the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from llmeval_core.errors import LlmevalError
from llmeval_core.library import existing_journal
from llmeval_core.records import TaskResult


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
