"""The leaderboard: models x metric keys, the value that stands of each, as data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from llmeval_core.api.notes_on_outcomes import counts_text
from llmeval_core.api.spreadsheets import as_cell
from llmeval_core.completeness import coverage_of, gives_way
from llmeval_core.printable import shown, shown_json
from llmeval_core.records import OUTCOMES, MetricResult, Outcome, TaskResult


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models and metric keys in the order they first appeared, and a cell where there is one.

    Args:
        models: the rows.
        keys: the columns.
        cells: by model and key.
        results: the task result that each cell is of.
        before: the result that stood before that one, if there was one with the same metric.
    """

    models: tuple[str, ...]
    keys: tuple[str, ...]
    cells: dict[tuple[str, str], MetricResult]
    results: dict[tuple[str, str], TaskResult] = field(default_factory=dict)
    before: dict[tuple[str, str], TaskResult] = field(default_factory=dict)

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
    """Collect the value of each key that stands: the most complete, and of these the newest.

    What belongs to one result changes together: with a metric go its categories.

    Args:
        results: oldest first.
        models: only these; all if empty.
        datasets: only these; all if empty.
        categories: whether the keys of categories are shown too.
    """
    standing: dict[tuple[str, str, str], tuple[TaskResult, TaskResult | None]] = {}
    order: dict[str, None] = {}
    for result in results:
        if (models and result.model not in models) or (datasets and result.dataset not in datasets):
            continue
        order |= dict.fromkeys(m.key for m in result.metrics if categories or m.category is None)
        for name in dict.fromkeys(metric.metric for metric in result.metrics):
            place = (result.model, result.task, name)
            old, _ = standing.get(place, (None, None))
            if old is None or not gives_way(result, old, name):
                standing[place] = (result, old)
    board = Leaderboard(
        models=tuple(dict.fromkeys(model for model, _, _ in standing)),
        keys=(),
        cells={},
    )
    for (model, _, name), (result, old) in standing.items():
        for metric in result.metrics:
            if metric.metric == name and (categories or metric.category is None):
                place_in_table = (model, metric.key)
                board.cells[place_in_table] = metric
                board.results[place_in_table] = result
                if old is not None:
                    board.before[place_in_table] = old
    shown_keys = {key for _, key in board.cells}
    return replace(board, keys=tuple(key for key in order if key in shown_keys))


def to_json(board: Leaderboard) -> str:
    """Return a list of cells as JSON, each with its model and with what it was measured on."""
    cells = [
        {
            "model": place[0],
            **cell.model_dump(mode="json"),
            "n_samples": board.results[place].n_samples,
            "n_total": coverage_of(board.results[place]).n_total,
            "finished_at": board.results[place].finished_at,
            "outcomes": dict(board.outcomes(*place)),
        }
        for place, cell in board.cells.items()
    ]
    return shown_json(json.dumps(cells, ensure_ascii=False, indent=2))


def to_csv(board: Leaderboard) -> str:
    """Return one line a model; for each key a column, its `_stderr`, `_low`, `_high` and `_n`.

    At the end, for each task and each way in which samples of it ended otherwise than answered or
    failed, a column `task:outcome` with how many did.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    suffixes = ("", "_stderr", "_low", "_high", "_n")
    header = [f"{key}{suffix}" for key in board.keys for suffix in suffixes]
    endings = _endings(board)
    tasks = dict.fromkeys(result.task for result in board.shown_results())
    met = {name for counts in endings.values() for name in counts}
    ended = [name for task in tasks for one in OUTCOMES if (name := f"{task}:{one}") in met]
    writer.writerow(["model", *(as_cell(shown(name)) for name in [*header, *ended])])
    for model in board.models:
        row: list[float | None] = []
        for key in board.keys:
            row += _numbers(board.cells.get((model, key)))
        numbers = [*row, *(endings[model].get(name) for name in ended)]
        writer.writerow([as_cell(shown(model)), *numbers])
    return out.getvalue().rstrip("\n")


def _endings(board: Leaderboard) -> dict[str, dict[str, int]]:
    """Count by model and `task:outcome` what was not answered."""
    found: dict[str, dict[str, int]] = {model: {} for model in board.models}
    for result in board.shown_results():
        for outcome, number in result.outcomes.items():
            if outcome not in ("answered", "failed"):
                found[result.model][f"{result.task}:{outcome}"] = number
    return found


def _numbers(cell: MetricResult | None) -> list[float | None]:
    if cell is None:
        return [None] * 5
    aggregate = cell.aggregate
    low, high = aggregate.interval or (None, None)
    return [aggregate.value, aggregate.stderr, low, high, aggregate.n_scored]


def to_markdown(board: Leaderboard) -> str:
    """Return a Markdown table."""
    lines = [
        "| model | " + " | ".join(_in_markdown(key) for key in board.keys) + " |",
        "|---|" + "---:|" * len(board.keys),
    ]
    for model in board.models:
        row = [
            cell_text(
                board.cells.get((model, key)),
                sample_count_text(board, model, key),
                board.outcomes(model, key),
            )
            for key in board.keys
        ]
        lines.append(f"| {_in_markdown(model)} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def cell_text(
    cell: MetricResult | None, n: str = "", outcomes: Mapping[Outcome, int] | None = None
) -> str:
    """Write one number with its interval, or its standard error, and of how many samples it is.

    `0.320 [0.207, 0.458] n=50`, `21.400 ±1.200 n=200`, `1.000 [0.207, 1.000] n=1 of 24`, and how
    many samples were not simply answered.

    Args:
        cell: the number; None for none.
        n: what `sample_count_text` gives; left out if empty.
        outcomes: how its samples ended; None if unknown.
    """
    if cell is None:
        return ""
    aggregate = cell.aggregate
    text = "–" if aggregate.value is None else f"{aggregate.value:.3f}"
    if aggregate.value is not None:
        if aggregate.interval is not None:
            low, high = aggregate.interval
            text += f" [{low:.3f}, {high:.3f}]"
        elif aggregate.stderr is not None:
            text += f" ±{aggregate.stderr:.3f}"
    if n:
        text += f" n={n}"
    counts = counts_text(
        outcomes or {}, n_failed=aggregate.n_failed, n_excluded=aggregate.n_excluded
    )
    return f"{text} ({counts})" if counts else text


def sample_count_text(board: Leaderboard, model: str, key: str) -> str:
    """Write of how many samples a number is: `24`, or `1 of 24` where not all were asked."""
    cell, result = board.cells.get((model, key)), board.results.get((model, key))
    if cell is None or result is None:
        return ""
    n, coverage = cell.aggregate.n_scored, coverage_of(result)
    if coverage.is_whole:
        return str(n)
    if cell.category is not None:
        return f"{n}, not all"
    return f"{n} of {coverage.n_total or 'more'}"


def _in_markdown(name: str) -> str:
    """Keep a name from ending its cell or its row."""
    return shown(name).replace("\n", " ").replace("|", "\\|")
