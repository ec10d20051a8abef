"""`llmeval history`: what a key was, when, and from what."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from llmeval_core.api import cell_text, existing_journal
from llmeval_core.api.notes_on_leaderboard import day
from llmeval_core.api.task_history import HistoryEntry, history, history_json
from llmeval_core.cli.console import add_row, echo_json, print_table
from llmeval_core.cli.journal_names import key_argument, models_option
from llmeval_core.cli.session import home_option
from llmeval_core.completeness import coverage_of


@click.command()
@key_argument
@models_option
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@home_option
def command(key: str, models: tuple[str, ...], home: Path, *, as_json: bool) -> None:
    """Show what a metric key (or each metric of a task key) was, when, and from what.

    The last column says what is not as it was the time before: prompt, settings, data set,
    definition. `stands` marks the number in the leaderboard; what `gave way` covered less of the
    data set than what stood then.

    \b
    Examples:
      llmeval history aio_0shot_exact_match
      llmeval history aio_0shot -m openai/gpt-4o-mini --json
    """
    with existing_journal(home) as journal, journal.reader() as reader:
        entries = history(reader.results(), key, models=models)
    if as_json:
        echo_json(history_json(entries))
    else:
        print_table(_table(entries))


def _table(entries: list[HistoryEntry]) -> Table:
    table = Table(header_style="bold")
    for name in ("finished", "model", "key", "number", "n", "", "changed"):
        table.add_column(
            name, justify="right" if name in ("number", "n") else "left", overflow="fold"
        )
    for one in entries:
        coverage = coverage_of(one.result)
        n = str(coverage.n_samples)
        if not coverage.is_whole:
            n += f" of {coverage.n_total or 'more'}"
        add_row(
            table,
            day(one.result),
            one.result.model,
            one.metric.key,
            cell_text(one.metric),
            n,
            "stands" if one.stands else "gave way" if one.gave_way else "",
            ", ".join(one.changed),
        )
    return table
