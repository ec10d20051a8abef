"""The address of the leaderboard's page: filters, columns, order, pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import QueryParams

from llmeval_server.results_cache import LeaderboardFilter

SortOrder = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class LeaderboardQuery:
    """What a link to the leaderboard asks for.

    Args:
        filter: the models and data sets.
        metrics: only the columns of these metrics; all if empty.
        columns: only the columns with these keys; all if empty.
        sort: the key of the column to sort by, or `model`; None for the first column.
        order: None for best first.
        models_page, columns_page: which page of models and of columns, from 1.
    """

    filter: LeaderboardFilter
    metrics: tuple[str, ...]
    columns: tuple[str, ...]
    sort: str | None
    order: SortOrder | None
    models_page: int
    columns_page: int

    @classmethod
    def parse(cls, query: QueryParams) -> LeaderboardQuery:
        """Parse the query of an address; values that make no sense are ignored."""
        order = query.get("order")
        return cls(
            filter=LeaderboardFilter(
                models=tuple(query.getlist("model")),
                datasets=tuple(query.getlist("dataset")),
                categories=query.get("categories") == "true",
            ),
            metrics=tuple(query.getlist("metric")),
            columns=tuple(query.getlist("column")),
            sort=query.get("sort"),
            order="desc" if order == "desc" else "asc" if order == "asc" else None,
            models_page=_page(query.get("models_page")),
            columns_page=_page(query.get("columns_page")),
        )

    def parameters(self) -> dict[str, object]:
        """Return the filters and columns as parameters of an address, for the API too."""
        return {
            "model": self.filter.models,
            "dataset": self.filter.datasets,
            "metric": self.metrics,
            "column": self.columns,
            "categories": "true" if self.filter.categories else None,
        }


def _page(text: str | None) -> int:
    is_number = text is not None and text.isascii() and text.isdecimal() and len(text) < 10
    return int(text) if text is not None and is_number else 1
