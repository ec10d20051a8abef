"""The leaderboard: models x metric keys, sorted and filtered by links that can be shared."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import condition_differences, make_leaderboard
from llmeval_server.pages.board import make_board
from llmeval_server.pages.memory import Memory
from llmeval_server.pages.rendering import Renderer

_MOST_NOTES = 12


class LeaderboardPage:
    """`/leaderboard`.

    Args:
        renderer: makes pages.
        memory: the journal.
    """

    def __init__(self, renderer: Renderer, memory: Memory) -> None:
        self._renderer = renderer
        self._memory = memory

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        query = request.query_params
        results = self._memory.results()
        models = tuple(query.getlist("model"))
        datasets = tuple(query.getlist("dataset"))
        categories = query.get("categories") == "true"
        leaderboard = make_leaderboard(
            results, models=models, datasets=datasets, categories=categories
        )
        board = make_board(
            leaderboard,
            model_link=self._renderer.model_link(request),
            sort=query.get("sort"),
            order=query.get("order"),
        )
        return self._renderer.page(
            request,
            "leaderboard.html",
            board=board,
            differences=condition_differences(leaderboard),
            most_notes=_MOST_NOTES,
            all_models=sorted({result.model for result in results}),
            all_datasets=sorted({result.dataset for result in results}),
            models=models,
            datasets=datasets,
            categories=categories,
        )
