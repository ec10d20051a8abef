"""What `llmeval history` does."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from llmeval_core.api import cell_text, existing_journal
from llmeval_core.api.history import HistoryEntry, history, history_json
from llmeval_core.api.leaderboard_notes import day
from llmeval_core.cli.console import add_row, echo_json, print_table
from llmeval_core.completeness import coverage_of


def show_history(*, key: str, models: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Print what a key was, oldest first."""
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
