"""The table of the leaderboard: a page of its models and of its columns, sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import quote, urlencode

from llmeval_core.api import Leaderboard
from llmeval_core.hooks import Coverage, MetricResult, Outcome, coverage_of
from llmeval_server.leaderboard_columns import LeaderboardColumn
from llmeval_server.pages.leaderboard_query import SortOrder
from llmeval_server.pages.outcome_texts import COUNT_TEXTS
from llmeval_server.pages.paging import Paging

MODEL = "model"
"""The sort key of the column with the models' names."""


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """The shown columns of one task."""

    task: str
    columns: tuple[LeaderboardColumn, ...]


def grouped(columns: Sequence[LeaderboardColumn]) -> tuple[ColumnGroup, ...]:
    """Group columns, of which those of a task are side by side, by their tasks."""
    by_task = groupby(columns, lambda column: column.task)
    return tuple(ColumnGroup(task, tuple(some)) for task, some in by_task)


@dataclass(frozen=True, slots=True)
class TableCell:
    """One value of one model.

    Args:
        column: the cell's column.
        parameters: of a link to its samples, besides the model; encoded.
        result: the value; None if the model has none.
        is_best: whether no other model has a better value, if there are several.
        shows_failed: whether to show the failed samples, as the cell to the left does not.
        unanswered: samples by outcome, without answered and failed ones; only in the first cell
            of a task.
        coverage: how much of the data set the result covers; None if there is none.
    """

    column: LeaderboardColumn
    parameters: str
    result: MetricResult | None
    is_best: bool
    shows_failed: bool
    unanswered: Mapping[Outcome, int]
    coverage: Coverage | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One model with its values; `link` leads to its run in a tracker, None if there is none."""

    model: str
    link: str | None
    cells: tuple[TableCell, ...]


@dataclass(frozen=True, slots=True)
class LeaderboardTable:
    """The shown part of the table.

    Args:
        groups: the shown columns by task.
        rows: the shown models.
        sort: the key of the column that it is sorted by, or `model`.
        order: of the sorting.
        models, columns: which of all models and columns are shown.
    """

    groups: tuple[ColumnGroup, ...]
    rows: tuple[TableRow, ...]
    sort: str
    order: SortOrder
    models: Paging
    columns: Paging

    def next_order(self, column: LeaderboardColumn | None) -> SortOrder:
        """The order that a click on a column's head asks for: best first, then reversed."""
        first = _best_first(column)
        if self.sort != (MODEL if column is None else column.key) or self.order != first:
            return first
        return "asc" if first == "desc" else "desc"


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How to arrange a leaderboard.

    Args:
        sort: a metric key, or `model`; the first column if None or unknown.
        order: best first if None.
        models_page, columns_page: which pages, from 1.
        n_models, n_columns: how many a page has.
    """

    n_models: int
    n_columns: int
    sort: str | None = None
    order: SortOrder | None = None
    models_page: int = 1
    columns_page: int = 1


def make_leaderboard_table(
    board: Leaderboard,
    columns: Sequence[LeaderboardColumn],
    layout: TableLayout,
    *,
    model_link: Callable[[str], str | None],
) -> LeaderboardTable:
    """Arrange a leaderboard for a page.

    Args:
        board: the leaderboard.
        columns: the chosen columns, on all pages.
        layout: how to arrange it.
        model_link: returns the link of a model.
    """
    sort, order = layout.sort, layout.order
    by_key = {column.key: column for column in columns}
    if sort not in by_key and sort != MODEL:
        sort, order = (columns[0].key, None) if columns else (MODEL, None)
    sorted_by = by_key.get(sort)
    order = order or _best_first(sorted_by)
    models = _sorted(_models_with_value(board, by_key), board, sorted_by, order)
    models_shown = Paging(layout.models_page, layout.n_models, len(models))
    columns_shown = Paging(layout.columns_page, layout.n_columns, len(columns))
    groups = grouped(columns_shown.items(columns))
    cells = _CellMaker(board, columns_shown.items(columns))
    rows = tuple(
        TableRow(
            model,
            model_link(model),
            tuple(cell for group in groups for cell in cells.of(model, group)),
        )
        for model in models_shown.items(models)
    )
    return LeaderboardTable(groups, rows, sort, order, models_shown, columns_shown)


def _best_first(column: LeaderboardColumn | None) -> SortOrder:
    return "desc" if column is not None and column.higher_is_better else "asc"


def _models_with_value(board: Leaderboard, keys: Mapping[str, object]) -> list[str]:
    if len(keys) == len(board.keys):
        return list(board.models)
    found = {model for model, key in board.cells if key in keys}
    return [model for model in board.models if model in found]


def _sorted(
    models: Sequence[str], board: Leaderboard, column: LeaderboardColumn | None, order: SortOrder
) -> list[str]:
    """Sort models; those without a value come last, whatever the order."""
    named = sorted(models, reverse=column is None and order == "desc")
    if column is None:
        return named
    values = {model: _value(board, model, column.key) for model in named}
    with_value = [(value, model) for model, value in values.items() if value is not None]
    without = [model for model, value in values.items() if value is None]
    sign = -1 if order == "desc" else 1
    return [model for _, model in sorted(with_value, key=lambda item: sign * item[0])] + without


def _value(board: Leaderboard, model: str, key: str) -> float | None:
    result = board.cells.get((model, key))
    return None if result is None else result.aggregate.value


def _best_values(
    board: Leaderboard, columns: Sequence[LeaderboardColumn]
) -> Iterator[tuple[str, float]]:
    """Yield the best value of each column in which several models have one."""
    for column in columns:
        found = (_value(board, model, column.key) for model in board.models)
        values = [value for value in found if value is not None]
        if len(values) > 1:
            yield column.key, (max if column.higher_is_better else min)(values)


class _CellMaker:
    """Makes the cells of the shown columns.

    Args:
        board: the leaderboard.
        columns: the shown columns.
    """

    def __init__(self, board: Leaderboard, columns: Sequence[LeaderboardColumn]) -> None:
        self._board = board
        self._best = dict(_best_values(board, columns))
        self._parameters = {column.key: _parameters(column) for column in columns}

    def of(self, model: str, group: ColumnGroup) -> Iterator[TableCell]:
        """Yield a model's cells of one task; failures that metrics share are shown once."""
        n_failed_before = 0
        shows_outcomes = True
        for column in group.columns:
            place = (model, column.key)
            result, whole = self._board.cells.get(place), self._board.results.get(place)
            n_failed = 0 if result is None else result.aggregate.n_failed
            value = None if result is None else result.aggregate.value
            outcomes = self._board.outcomes(*place) if shows_outcomes else {}
            yield TableCell(
                column,
                self._parameters[column.key],
                result,
                is_best=value is not None and value == self._best.get(column.key),
                shows_failed=n_failed != n_failed_before,
                unanswered=_unanswered(outcomes),
                coverage=coverage_of(whole) if whole is not None else None,
            )
            n_failed_before = n_failed
            shows_outcomes = shows_outcomes and (result is None or column.category is not None)


def _parameters(column: LeaderboardColumn) -> str:
    named = {"task": column.task, "metric": column.metric, "category": column.category}
    given = {name: value for name, value in named.items() if value is not None}
    return urlencode(given, quote_via=quote)


def _unanswered(outcomes: Mapping[Outcome, int]) -> dict[Outcome, int]:
    return {
        outcome: number for outcome, number in outcomes.items() if number and outcome in COUNT_TEXTS
    }
