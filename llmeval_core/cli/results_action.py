"""What `llmeval results` does: read the leaderboard and print it."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.api import (
    existing_journal,
    in_run_order,
    leaderboard_notes,
    make_leaderboard,
    to_csv,
    to_json,
    to_markdown,
)
from llmeval_core.cli.console import (
    echo,
    echo_document,
    echo_lines,
    is_ascii,
    paint,
    terminal_width,
)
from llmeval_core.cli.leaderboard_printing import leaderboard_lines

_WRITERS = {"md": to_markdown, "csv": to_csv, "json": to_json}


def show_results(
    *,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    form: str,
    home: Path,
    categories: bool,
    as_json: bool,
) -> None:
    """Print the leaderboard."""
    with existing_journal(home) as journal, journal.reader() as reader:
        board = make_leaderboard(
            reader.results(), models=models, datasets=datasets, categories=categories
        )
        board = in_run_order(board, reader.planned_tasks)
    form = "json" if as_json else form
    if form != "table":
        echo_document(_WRITERS[form](board))
    elif board.cells:
        echo_lines(leaderboard_lines(board, terminal_width(), paint=paint, is_ascii=is_ascii()))
        for note in leaderboard_notes(board):
            echo(note)
    else:
        echo("no results yet" if not (models or datasets) else "no result fits")
