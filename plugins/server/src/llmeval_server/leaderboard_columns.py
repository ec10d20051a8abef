"""The columns of a leaderboard: its metric keys with their parts, grouped by task."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from llmeval_core.api import Leaderboard


@dataclass(frozen=True, slots=True)
class LeaderboardColumn:
    """One metric key and its parts; `category` is None for a whole task."""

    key: str
    task: str
    metric: str
    category: str | None
    higher_is_better: bool

    @property
    def name(self) -> str:
        """The metric, with the category if there is one."""
        return self.metric if self.category is None else f"{self.metric} / {self.category}"


def columns_of(board: Leaderboard) -> tuple[LeaderboardColumn, ...]:
    """List a leaderboard's columns, those of a task side by side."""
    results = {key: result for (_, key), result in board.cells.items()}
    by_task: dict[str, list[LeaderboardColumn]] = {}
    for key in board.keys:
        result = results[key]
        whole = key.removesuffix(f"/{result.category}") if result.category is not None else key
        task = whole.removesuffix(f"_{result.metric}")
        column = LeaderboardColumn(
            key, task, result.metric, result.category, result.higher_is_better
        )
        by_task.setdefault(task, []).append(column)
    return tuple(column for columns in by_task.values() for column in columns)


def select_columns(
    columns: Iterable[LeaderboardColumn], *, metrics: Collection[str], keys: Collection[str]
) -> tuple[LeaderboardColumn, ...]:
    """Return the columns of some metrics and with some keys; all if both are empty."""
    return tuple(
        column
        for column in columns
        if (not metrics or column.metric in metrics) and (not keys or column.key in keys)
    )


def restricted(
    board: Leaderboard, *, models: Collection[str] | None, keys: Collection[str] | None
) -> Leaderboard:
    """Return a part of a leaderboard, without empty rows and columns.

    Args:
        board: the leaderboard.
        models: only these; all if None.
        keys: only these; all if None.
    """
    cells = {
        place: cell
        for place, cell in board.cells.items()
        if (models is None or place[0] in models) and (keys is None or place[1] in keys)
    }
    with_value, used = {model for model, _ in cells}, {key for _, key in cells}
    return replace(
        board,
        models=tuple(model for model in board.models if model in with_value),
        keys=tuple(key for key in board.keys if key in used),
        cells=cells,
        results={place: board.results[place] for place in cells},
        before={place: board.before[place] for place in cells if place in board.before},
    )
