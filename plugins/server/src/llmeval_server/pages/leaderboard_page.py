"""The leaderboard's page: models x metric keys; filters, columns and order are in its address."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from llmeval_server.leaderboard_columns import select_columns
from llmeval_server.pages.entity_tags import EntityTags
from llmeval_server.pages.leaderboard_query import LeaderboardQuery
from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.pages.paged_leaderboard import TableLayout, grouped, make_leaderboard_table
from llmeval_server.results_cache import CachedResults, ResultsCache

MODELS_A_PAGE = 50
COLUMNS_A_PAGE = 30
_MAX_NOTES = 12


class LeaderboardPage:
    """`/leaderboard`.

    Args:
        renderer: renders pages.
        results: the task results.
    """

    def __init__(self, renderer: Renderer, results: ResultsCache) -> None:
        self._renderer = renderer
        self._results = results
        self._tags = EntityTags()

    def show(self, request: Request) -> Response:
        """Render the page, unless the browser has it already; blocking."""
        results = self._results.snapshot()
        tag = self._tags.tag(request, results.version, self._renderer.language_of(request).code)
        if self._tags.is_known(request, tag):
            return self._tags.not_modified(tag)
        response = self._render(request, LeaderboardQuery.parse(request.query_params), results)
        return self._tags.tagged(response, tag)

    def _render(
        self, request: Request, query: LeaderboardQuery, results: CachedResults
    ) -> Response:
        cached = self._results.leaderboard(query.filter)
        columns = select_columns(cached.columns, metrics=query.metrics, keys=query.columns)
        layout = TableLayout(
            n_models=MODELS_A_PAGE,
            n_columns=COLUMNS_A_PAGE,
            sort=query.sort,
            order=query.order,
            models_page=query.models_page,
            columns_page=query.columns_page,
        )
        table = make_leaderboard_table(
            cached.board, columns, layout, model_link=self._renderer.model_link(request)
        )
        tasks = {column.task for column in columns}
        return self._renderer.page(
            request,
            "leaderboard.html",
            board=table,
            query=query,
            all_models=sorted({result.model for result in results.results}),
            all_datasets=sorted({result.dataset for result in results.results}),
            all_metrics=sorted({column.metric for column in cached.columns} | {*query.metrics}),
            all_columns=grouped(cached.columns),
            differences=[one for one in cached.differences if one.task in tasks],
            max_notes=_MAX_NOTES,
        )
