"""The leaderboard: models x metric keys, the newest value of each, as data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmeval_core.library.outcome_notes import counts_text
from llmeval_core.library.printable import shown
from llmeval_core.library.spreadsheets import as_cell
from llmeval_core.records import OUTCOMES, MetricResult, Outcome, TaskResult


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models and metric keys in the order they first appeared, and a cell where there is one.

    Args:
        results: by the same names, the result that a cell is of.
    """

    models: tuple[str, ...]
    keys: tuple[str, ...]
    cells: dict[tuple[str, str], MetricResult]
    results: dict[tuple[str, str], TaskResult] = field(default_factory=dict)

    def text(self, model: str, key: str) -> str:
        """Write one cell, with how many of its samples were not simply answered."""
        cell = self.cells.get((model, key))
        return cell_text(cell, self.outcomes(model, key))

    def outcomes(self, model: str, key: str) -> Mapping[Outcome, int]:
        """Say how many samples of a cell ended how; nothing for a category, where it is unknown."""
        cell, result = self.cells.get((model, key)), self.results.get((model, key))
        return result.outcomes if result and cell and cell.category is None else {}

    def shown_results(self) -> list[TaskResult]:
        """List the results that the cells are of, each once."""
        return list({result.id: result for result in self.results.values()}.values())


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
    shown_results: dict[tuple[str, str], TaskResult] = {}
    for result in results:
        if (models and result.model not in models) or (datasets and result.dataset not in datasets):
            continue
        for metric in result.metrics:
            if categories or metric.category is None:
                cells[result.model, metric.key] = metric
                shown_results[result.model, metric.key] = result
    return Leaderboard(
        models=tuple(dict.fromkeys(model for model, _ in cells)),
        keys=tuple(dict.fromkeys(key for _, key in cells)),
        cells=cells,
        results=shown_results,
    )


def to_json(board: Leaderboard) -> str:
    """Return a list of cells as JSON, each with its model and how its samples ended."""
    cells = [
        {
            "model": model,
            **cell.model_dump(mode="json"),
            "outcomes": dict(board.outcomes(model, key)),
        }
        for (model, key), cell in board.cells.items()
    ]
    return json.dumps(cells, ensure_ascii=False, indent=2)


def to_csv(board: Leaderboard) -> str:
    """Return one line a model, one column a key, and a `_stderr` column beside each.

    At the end, for each task and each way in which samples of it ended otherwise than answered, a
    column `task:outcome` with how many did.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = [name for key in board.keys for name in (key, f"{key}_stderr")]
    endings = _endings(board)
    tasks = dict.fromkeys(result.task for result in board.shown_results())
    met = {name for counts in endings.values() for name in counts}
    ended = [name for task in tasks for one in OUTCOMES if (name := f"{task}:{one}") in met]
    writer.writerow(["model", *map(as_cell, [*header, *ended])])
    for model in board.models:
        row: list[float | None] = []
        for key in board.keys:
            cell = board.cells.get((model, key))
            row += [cell.aggregate.value, cell.aggregate.stderr] if cell else [None, None]
        writer.writerow([as_cell(model), *row, *(endings[model].get(name) for name in ended)])
    return out.getvalue().rstrip("\n")


def to_markdown(board: Leaderboard) -> str:
    """Return a Markdown table."""
    lines = [
        "| model | " + " | ".join(_in_markdown(key) for key in board.keys) + " |",
        "|---|" + "---:|" * len(board.keys),
    ]
    for model in board.models:
        row = [board.text(model, key) for key in board.keys]
        lines.append(f"| {_in_markdown(model)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def cell_text(cell: MetricResult | None, outcomes: Mapping[Outcome, int] | None = None) -> str:
    """Write one number with its standard error: `0.320 ±0.066`, and what was not answered.

    Args:
        cell: the number; None for an empty cell.
        outcomes: how its samples ended; None if unknown.
    """
    if cell is None:
        return ""
    aggregate = cell.aggregate
    text = "–" if aggregate.value is None else f"{aggregate.value:.3f}"
    if aggregate.stderr is not None:
        text += f" ±{aggregate.stderr:.3f}"
    counts = counts_text(
        outcomes or {}, n_failed=aggregate.n_failed, n_excluded=aggregate.n_excluded
    )
    return f"{text} ({counts})" if counts else text


def _endings(board: Leaderboard) -> dict[str, dict[str, int]]:
    """Count by model and `task:outcome` what was not answered."""
    found: dict[str, dict[str, int]] = {model: {} for model in board.models}
    for result in board.shown_results():
        for outcome, number in result.outcomes.items():
            if outcome != "answered":
                found[result.model][f"{result.task}:{outcome}"] = number
    return found


def _in_markdown(name: str) -> str:
    """Keep a name from ending its cell or its row."""
    return shown(name).replace("\n", " ").replace("|", "\\|")
