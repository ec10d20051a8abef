"""What `llmeval results` does: read the leaderboard and print it."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.api import existing_journal, make_leaderboard
from llmeval_core.api.leaderboard import to_csv, to_json, to_markdown
from llmeval_core.api.leaderboard_notes import leaderboard_notes
from llmeval_core.cli.console import echo, echo_document, output_console
from llmeval_core.cli.leaderboard import print_leaderboard
from llmeval_core.printable import shown

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
    form = "json" if as_json else form
    if form != "table":
        echo_document(_WRITERS[form](board))
    elif board.cells:
        console = output_console()
        print_leaderboard(board, console)
        for note in leaderboard_notes(board):
            console.print(shown(note), markup=False, highlight=False, soft_wrap=True)
    else:
        echo("no results yet" if not (models or datasets) else "no result fits")
