"""The leaderboard as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from llmeval_core.library.leaderboard import Leaderboard
from llmeval_core.library.outcome_notes import outcome_notes
from llmeval_core.library.printable import shown


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table; models are rows where that fits, otherwise columns.

    Below it, a line for each task with samples that were not simply answered.
    """
    table = _models_as_rows(board)
    if console.measure(table).minimum > console.width or _width(board) > console.width:
        table = _models_as_columns(board)
    console.print(table)
    for note in outcome_notes(board.shown_results()):
        console.print(shown(note), soft_wrap=True)


def _heading(key: str) -> str:
    """Break `nq_open_5shot_exact_match` into data set, shots and metric, a line each."""
    key = shown(key)
    dataset, shots, metric = key.rpartition("shot_")
    name, _, n = dataset.rpartition("_")
    return f"{name}\n{n}shot\n{metric}" if shots else key


def _width(board: Leaderboard) -> int:
    """How wide the table is with models as rows and nothing folded."""
    width = max((len(model) for model in board.models), default=0) + 4
    for key in board.keys:
        texts = [board.text(model, key) for model in board.models]
        lines = [*_heading(key).split("\n"), *texts]
        width += max(len(line) for line in lines) + 3
    return width


def _models_as_rows(board: Leaderboard) -> Table:
    table = Table("model", header_style="bold")
    for key in board.keys:
        table.add_column(_heading(key), justify="right", no_wrap=True)
    for model in board.models:
        table.add_row(shown(model), *(board.text(model, key) for key in board.keys))
    return table


def _models_as_columns(board: Leaderboard) -> Table:
    table = Table(header_style="bold")
    table.add_column("metric key", no_wrap=True)
    for model in board.models:
        table.add_column(shown(model), justify="right", overflow="fold")
    for key in board.keys:
        table.add_row(shown(key), *(board.text(m, key) for m in board.models))
    return table
