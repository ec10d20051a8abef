"""The leaderboard: models x metric keys, the newest value of each, as data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass

from llmeval_core.library.printable import shown, shown_json
from llmeval_core.library.spreadsheets import as_cell
from llmeval_core.records import MetricResult, TaskResult


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models and metric keys in the order they first appeared, and a cell where there is one."""

    models: tuple[str, ...]
    keys: tuple[str, ...]
    cells: dict[tuple[str, str], MetricResult]


def make_leaderboard(
    results: Iterable[TaskResult],
    *,
    models: tuple[str, ...] = (),
    datasets: tuple[str, ...] = (),
    categories: bool = False,
) -> Leaderboard:
    """Collect the newest value of each key.

    Args:
        results: oldest first.
        models: only these; all if empty.
        datasets: only these; all if empty.
        categories: whether the keys of categories are shown too.
    """
    cells: dict[tuple[str, str], MetricResult] = {}
    for result in results:
        if (models and result.model not in models) or (datasets and result.dataset not in datasets):
            continue
        for metric in result.metrics:
            if categories or metric.category is None:
                cells[result.model, metric.key] = metric
    return Leaderboard(
        models=tuple(dict.fromkeys(model for model, _ in cells)),
        keys=tuple(dict.fromkeys(key for _, key in cells)),
        cells=cells,
    )


def to_json(board: Leaderboard) -> str:
    """Return a list of cells as JSON, each with its model."""
    cells = [
        {"model": model, **cell.model_dump(mode="json")} for (model, _), cell in board.cells.items()
    ]
    return shown_json(json.dumps(cells, ensure_ascii=False, indent=2))


def to_csv(board: Leaderboard) -> str:
    """Return one line a model, one column a key, and a `_stderr` column beside each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = [name for key in board.keys for name in (key, f"{key}_stderr")]
    writer.writerow(["model", *(as_cell(shown(name)) for name in header)])
    for model in board.models:
        row: list[float | None] = []
        for key in board.keys:
            cell = board.cells.get((model, key))
            row += [cell.aggregate.value, cell.aggregate.stderr] if cell else [None, None]
        writer.writerow([as_cell(shown(model)), *row])
    return out.getvalue().rstrip("\n")


def to_markdown(board: Leaderboard) -> str:
    """Return a Markdown table."""
    lines = [
        "| model | " + " | ".join(_in_markdown(key) for key in board.keys) + " |",
        "|---|" + "---:|" * len(board.keys),
    ]
    for model in board.models:
        row = [cell_text(board.cells.get((model, key))) for key in board.keys]
        lines.append(f"| {_in_markdown(model)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def cell_text(cell: MetricResult | None) -> str:
    """Write one number with its standard error: `0.320 ±0.066`, and how many samples failed."""
    if cell is None:
        return ""
    aggregate = cell.aggregate
    if aggregate.value is None:
        return "–"
    text = f"{aggregate.value:.3f}"
    if aggregate.stderr is not None:
        text += f" ±{aggregate.stderr:.3f}"
    if aggregate.n_failed:
        text += f" ({aggregate.n_failed} failed)"
    return text


def _in_markdown(name: str) -> str:
    """Keep a name from ending its cell or its row."""
    return shown(name).replace("\n", " ").replace("|", "\\|")
