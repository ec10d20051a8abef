"""What `llmeval history` does."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.api import (
    HistoryEntry,
    cell_text,
    coverage_of,
    existing_journal,
    finish_time_text,
    history,
    history_json,
)
from llmeval_core.cli.collector_pause import paused_collector
from llmeval_core.cli.console import echo_json, echo_table
from llmeval_core.cli.tables import Column, Table

_COLUMNS = (
    Column("finished"),
    Column("model", wraps=True),
    Column("key", wraps=True),
    Column("number", "right"),
    Column("n", "right"),
    Column(""),
    Column("changed", wraps=True),
)


def show_history(*, key: str, models: tuple[str, ...], home: Path, as_json: bool) -> None:
    """Print what a key was, oldest first."""
    with paused_collector(), existing_journal(home) as journal, journal.reader() as reader:
        entries = history(reader.results(), key, models=models)
    if as_json:
        echo_json(history_json(entries))
    else:
        echo_table(_table(entries))


def _table(entries: list[HistoryEntry]) -> Table:
    table = Table(_COLUMNS, is_boxed=True)
    for one in entries:
        coverage = coverage_of(one.result)
        n = str(coverage.n_samples)
        if not coverage.is_whole:
            n += f" of {coverage.n_total or 'more'}"
        table.add(
            finish_time_text(one.result),
            one.result.model,
            one.metric.key,
            cell_text(one.metric),
            n,
            "stands" if one.stands else "gave way" if one.gave_way else "",
            ", ".join(one.changed),
        )
    return table
