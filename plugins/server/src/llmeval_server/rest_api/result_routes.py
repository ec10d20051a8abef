"""The leaderboard and the task results."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.api import Leaderboard, to_csv, to_markdown
from llmeval_core.hooks import MetricResult, Outcome, TaskResult, coverage_of
from llmeval_server.job_errors import UnknownRecordError
from llmeval_server.leaderboard_columns import restricted, select_columns
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.prefix import API
from llmeval_server.results_cache import LeaderboardFilter, ResultsCache

Models = Annotated[list[str] | None, Query(alias="model", description="Only these models.")]
Datasets = Annotated[list[str] | None, Query(alias="dataset", description="Only these data sets.")]


class LeaderboardCell(BaseModel):
    """One number of the leaderboard."""

    model_config = ConfigDict(frozen=True)

    model: str
    result: MetricResult
    outcomes: dict[Outcome, int] = Field(
        description="The task's samples by outcome; empty for a category."
    )
    n_samples: int = Field(description="Samples of the task that were requested.")
    n_total: int | None = Field(description="Samples of the data set; null if unknown.")


class LeaderboardBody(BaseModel):
    """Models and metric keys in the order in which they first appeared, and the cells."""

    model_config = ConfigDict(frozen=True)

    models: tuple[str, ...]
    keys: tuple[str, ...]
    cells: tuple[LeaderboardCell, ...]
    n_models: int = Field(description="Number of all models that match, on all pages.")


class ResultList(BaseModel):
    """A page of task results, newest first."""

    model_config = ConfigDict(frozen=True)

    results: tuple[TaskResult, ...]
    n_results: int = Field(description="Number of all results that match.")


def result_router(results_cache: ResultsCache) -> APIRouter:
    """Make the routes of the leaderboard and of task results."""
    router = APIRouter(prefix=API, tags=["results"])

    @router.get(
        "/leaderboard",
        summary="The leaderboard",
        response_model=LeaderboardBody,
        responses={
            **errors(422),
            200: {
                "content": {
                    "text/csv": {"schema": {"type": "string"}},
                    "text/markdown": {"schema": {"type": "string"}},
                }
            },
        },
    )
    def leaderboard(
        *,
        models: Models = None,
        datasets: Datasets = None,
        categories: Annotated[
            bool, Query(description="Whether to include the keys of categories.")
        ] = False,
        metrics: Annotated[
            list[str] | None, Query(alias="metric", description="Only these metrics.")
        ] = None,
        columns: Annotated[
            list[str] | None, Query(alias="column", description="Only these metric keys.")
        ] = None,
        form: Annotated[Literal["json", "csv", "md"], Query(alias="format")] = "json",
        limit: Annotated[int, Query(ge=1, le=10_000, description="Most models.")] = 1000,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> LeaderboardBody | Response:
        """Return the current value of each metric key of each model, a page of models."""
        wanted = LeaderboardFilter(tuple(models or ()), tuple(datasets or ()), categories)
        cached = results_cache.leaderboard(wanted)
        board = cached.board
        if metrics or columns:
            chosen = select_columns(cached.columns, metrics=metrics or (), keys=columns or ())
            board = restricted(board, models=None, keys={column.key for column in chosen})
        page = board
        if offset > 0 or len(board.models) > limit:
            page_models = set(board.models[offset : offset + limit])
            page = restricted(board, models=page_models, keys=None)
        return _board_as(form, page, n_models=len(board.models))

    @router.get("/results", summary="List task results", responses=errors(422))
    def results(
        models: Models = None,
        datasets: Datasets = None,
        tasks: Annotated[list[str] | None, Query(alias="task", description="Task keys.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> ResultList:
        """List task results as trackers receive them, newest first."""
        found = [
            result
            for result in results_cache.snapshot().results
            if (not models or result.model in models)
            and (not datasets or result.dataset in datasets)
            and (not tasks or result.task in tasks)
        ]
        page = found[::-1][offset : offset + limit]
        return ResultList(results=tuple(page), n_results=len(found))

    @router.get("/results/{result_id}", summary="Show a task result", responses=errors(404, 422))
    def result(result_id: Annotated[str, Path(max_length=200)]) -> TaskResult:
        """Return one task result."""
        everything = results_cache.snapshot().results
        found = next((one for one in everything if one.id == result_id), None)
        if found is None:
            raise UnknownRecordError(
                "there is no result with this id", hint="`GET /api/v1/results` lists all"
            )
        return found

    return router


def _board_as(form: str, board: Leaderboard, *, n_models: int) -> LeaderboardBody | Response:
    if form == "csv":
        name = 'attachment; filename="leaderboard.csv"'
        text = f"{to_csv(board)}\n"
        return Response(text, media_type="text/csv", headers={"Content-Disposition": name})
    if form == "md":
        return PlainTextResponse(f"{to_markdown(board)}\n", media_type="text/markdown")
    cells = tuple(
        LeaderboardCell(
            model=place[0],
            result=cell,
            outcomes=dict(board.outcomes(*place)),
            n_samples=board.results[place].n_samples,
            n_total=coverage_of(board.results[place]).n_total,
        )
        for place, cell in board.cells.items()
    )
    return LeaderboardBody(models=board.models, keys=board.keys, cells=cells, n_models=n_models)
