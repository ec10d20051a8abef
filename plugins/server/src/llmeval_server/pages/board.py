"""The leaderboard as the pages show it: columns in groups, rows in order, best values marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llmeval_core.api import Leaderboard
from llmeval_core.hooks import Coverage, MetricResult, Outcome, coverage_of
from llmeval_server.pages.outcome_texts import COUNT_TEXTS

Order = Literal["asc", "desc"]
MODEL = "model"
"""The sort key of the column with the models' names."""


@dataclass(frozen=True, slots=True)
class Column:
    """One metric key, taken apart; `best` is the best value of it, None if there is none."""

    key: str
    task: str
    metric: str
    category: str | None
    higher_is_better: bool
    best: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """The columns of one task."""

    task: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of one model, in its column.

    Args:
        column: where it stands.
        result: the value; None if the model has none.
        tells_failures: whether its failures are not those of the cell to the left.
        unanswered: how many samples ended otherwise than answered, without those that failed; told
            by the first cell of a task only.
        coverage: how much of the data set the result covers; None if there is none.
    """

    column: Column
    result: MetricResult | None
    tells_failures: bool
    unanswered: Mapping[Outcome, int]
    coverage: Coverage | None

    @property
    def is_best(self) -> bool:
        """Whether no other model has a better value; that of a single model is not told."""
        return self.result is not None and self.result.aggregate.value == self.column.best


@dataclass(frozen=True, slots=True)
class Row:
    """One model with its values, and where its run is; None if no tracker's pages have it."""

    model: str
    link: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The table, sorted by one column."""

    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    sort: str
    order: Order

    @property
    def columns(self) -> list[Column]:
        """All columns, from left to right."""
        return [column for group in self.groups for column in group.columns]

    def next_order(self, column: Column | None) -> Order:
        """The order that a click on a column's head asks for: best first, then the other way."""
        first: Order = "desc" if column is not None and column.higher_is_better else "asc"
        if self.sort != (MODEL if column is None else column.key) or self.order != first:
            return first
        return "asc" if first == "desc" else "desc"


def make_board(
    leaderboard: Leaderboard,
    *,
    model_link: Callable[[str], str | None],
    sort: str | None = None,
    order: str | None = None,
) -> Board:
    """Arrange a leaderboard for a page.

    Args:
        leaderboard: the values.
        model_link: makes the link of a model.
        sort: a metric key, or `model`; the first column if None or not there.
        order: `asc` or `desc`; best first if None.
    """
    columns = [_column(key, leaderboard) for key in leaderboard.keys]
    tasks = dict.fromkeys(column.task for column in columns)
    groups = tuple(Group(task, tuple(c for c in columns if c.task == task)) for task in tasks)
    columns = [column for group in groups for column in group.columns]
    by_key = {column.key: column for column in columns}
    rows = [
        Row(
            model,
            model_link(model),
            tuple(cell for group in groups for cell in _cells(model, group, leaderboard)),
        )
        for model in leaderboard.models
    ]
    if sort not in by_key and sort != MODEL:
        sort, order = (columns[0].key, None) if columns else (MODEL, None)
    chosen = by_key.get(sort)
    best_first: Order = "desc" if chosen is not None and chosen.higher_is_better else "asc"
    way: Order = "desc" if order == "desc" else "asc" if order == "asc" else best_first
    return Board(groups, tuple(_sorted(rows, chosen, way)), sort, way)


def _sorted(rows: Sequence[Row], column: Column | None, order: Order) -> list[Row]:
    """Sort rows; models without a value come last, whichever way it goes."""
    named = sorted(rows, key=lambda row: row.model, reverse=column is None and order == "desc")
    if column is None:
        return named
    with_value = [(value, row) for row in named if (value := _value(row, column)) is not None]
    without = [row for row in named if _value(row, column) is None]
    sign = -1 if order == "desc" else 1
    return [row for _, row in sorted(with_value, key=lambda item: sign * item[0])] + without


def _value(row: Row, column: Column) -> float | None:
    result = next(cell.result for cell in row.cells if cell.column is column)
    return None if result is None else result.aggregate.value


def _cells(model: str, group: Group, leaderboard: Leaderboard) -> Iterator[Cell]:
    """Make a model's cells of one task; failures are told once for all metrics that share them."""
    told = 0
    untold = True
    for column in group.columns:
        result = leaderboard.cells.get((model, column.key))
        n_failed = 0 if result is None else result.aggregate.n_failed
        unanswered = _unanswered(leaderboard.outcomes(model, column.key)) if untold else {}
        whole = leaderboard.results.get((model, column.key))
        coverage = coverage_of(whole) if whole is not None else None
        yield Cell(column, result, n_failed != told, unanswered, coverage)
        told = n_failed
        untold = untold and (result is None or column.category is not None)


def _unanswered(outcomes: Mapping[Outcome, int]) -> dict[Outcome, int]:
    return {
        outcome: number for outcome, number in outcomes.items() if number and outcome in COUNT_TEXTS
    }


def _column(key: str, leaderboard: Leaderboard) -> Column:
    results = [
        leaderboard.cells[model, key]
        for model in leaderboard.models
        if (model, key) in leaderboard.cells
    ]
    one = results[-1]
    whole = key.removesuffix(f"/{one.category}") if one.category is not None else key
    values = [r.aggregate.value for r in results if r.aggregate.value is not None]
    best = (max if one.higher_is_better else min)(values) if len(values) > 1 else None
    return Column(
        key=key,
        task=whole.removesuffix(f"_{one.metric}"),
        metric=one.metric,
        category=one.category,
        higher_is_better=one.higher_is_better,
        best=best,
    )
