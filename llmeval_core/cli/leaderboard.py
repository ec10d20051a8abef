"""The leaderboard as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from llmeval_core.api.leaderboard import Leaderboard, cell_text, n_of
from llmeval_core.api.outcome_notes import outcome_notes
from llmeval_core.printable import shown

_LEAST_CELL_WIDTH = 8


def print_leaderboard(board: Leaderboard, console: Console) -> None:
    """Print the table: models are rows where that fits, otherwise columns, otherwise lines.

    How many samples a number is of stands over its column if that is the same for all models,
    otherwise beside each number. Below the table stands a line for each task with samples that
    were not simply answered.
    """
    table = _models_as_rows(board)
    if console.measure(table).minimum > console.width or _width(board) > console.width:
        table = _models_as_columns(board)
        if _least_width(board) > console.width:
            _print_lines(board, console)
            return
    console.print(table)
    for note in outcome_notes(board.shown_results()):
        console.print(shown(note), soft_wrap=True)


def _heading(board: Leaderboard, key: str) -> str:
    """Break `nq_open_5shot_exact_match` into data set, shots and metric, a line each, and n."""
    n = _common_n(board, key)
    below = f"\nn={n}" if n else ""
    key = shown(key)
    dataset, shots, metric = key.rpartition("shot_")
    name, _, n_shots = dataset.rpartition("_")
    return f"{name}\n{n_shots}shot\n{metric}{below}" if shots else f"{key}{below}"


def _common_n(board: Leaderboard, key: str) -> str:
    """Write of how many samples all numbers of a column are; empty if they differ."""
    found = {n for model in board.models if (n := n_of(board, model, key))}
    return found.pop() if len(found) == 1 else ""


def _width(board: Leaderboard) -> int:
    """How wide the table is with models as rows and nothing folded."""
    width = max((len(model) for model in board.models), default=0) + 4
    for key in board.keys:
        texts = [_text(board, model, key) for model in board.models]
        lines = [*_heading(board, key).split("\n"), *texts]
        width += max(len(line) for line in lines) + 3
    return width


def _least_width(board: Leaderboard) -> int:
    """How wide the table is with models as columns, if names are folded to a few letters."""
    keys = max((len(shown(key)) for key in board.keys), default=0)
    return keys + 4 + len(board.models) * (_LEAST_CELL_WIDTH + 3)


def _print_lines(board: Leaderboard, console: Console) -> None:
    """Print a line for each number: no terminal is too narrow for that."""
    for key in board.keys:
        for model in board.models:
            if (model, key) in board.cells:
                number = cell_text(board.cells[model, key], n_of(board, model, key))
                line = f"{shown(model)} {shown(key)} {number}"
                console.print(line, soft_wrap=True)


def _models_as_rows(board: Leaderboard) -> Table:
    table = Table("model", header_style="bold")
    for key in board.keys:
        table.add_column(_heading(board, key), justify="right", no_wrap=True)
    for model in board.models:
        table.add_row(shown(model), *(_text(board, model, key) for key in board.keys))
    return table


def _models_as_columns(board: Leaderboard) -> Table:
    table = Table(header_style="bold")
    table.add_column("metric key", no_wrap=True)
    table.add_column("n", justify="right")
    for model in board.models:
        table.add_column(shown(model), justify="right", overflow="fold")
    for key in board.keys:
        numbers = (_text(board, model, key) for model in board.models)
        table.add_row(shown(key), _common_n(board, key), *numbers)
    return table


def _text(board: Leaderboard, model: str, key: str) -> str:
    n = "" if _common_n(board, key) else n_of(board, model, key)
    return cell_text(board.cells.get((model, key)), n, board.outcomes(model, key))
