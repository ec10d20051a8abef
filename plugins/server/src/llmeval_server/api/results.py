"""Results: the leaderboard, and what each task gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.api import Leaderboard, make_leaderboard, to_csv, to_markdown
from llmeval_core.hooks import MetricResult, Outcome, TaskResult, coverage_of
from llmeval_server.api.prefix import API
from llmeval_server.api.reading import journal_reader
from llmeval_server.api.responses import errors
from llmeval_server.context import ServerContext
from llmeval_server.errors import UnknownRecordError

Models = Annotated[list[str] | None, Query(alias="model", description="Only these models.")]
Datasets = Annotated[list[str] | None, Query(alias="dataset", description="Only these data sets.")]


class Cell(BaseModel):
    """One number of the leaderboard."""

    model_config = ConfigDict(frozen=True)

    model: str
    result: MetricResult
    outcomes: dict[Outcome, int] = Field(
        description="How many of the task's samples ended how; empty for a category."
    )
    n_samples: int = Field(description="How many samples of the task were asked.")
    n_total: int | None = Field(
        description="How many samples the data set has; null if that is not known."
    )


class LeaderboardBody(BaseModel):
    """Models and metric keys in the order in which they first appeared, and the cells."""

    model_config = ConfigDict(frozen=True)

    models: tuple[str, ...]
    keys: tuple[str, ...]
    cells: tuple[Cell, ...]
    n_models: int = Field(description="Models in all that fit, on this page and others.")


class ResultList(BaseModel):
    """A page of task results, newest first."""

    model_config = ConfigDict(frozen=True)

    results: tuple[TaskResult, ...]
    n_results: int = Field(description="Results in all that fit.")


def result_router(context: ServerContext) -> APIRouter:
    """Make the routes of the leaderboard and of task results."""
    router = APIRouter(prefix=API, tags=["results"])
    home = context.settings.home

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
            bool, Query(description="Whether the keys of categories are there too.")
        ] = False,
        form: Annotated[Literal["json", "csv", "md"], Query(alias="format")] = "json",
        limit: Annotated[int, Query(ge=1, le=10_000, description="Most models.")] = 1000,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> LeaderboardBody | Response:
        """Give the newest value of each metric key of each model, a page of models at a time."""
        with journal_reader(home) as reader:
            board = make_leaderboard(
                reader.results() if reader is not None else (),
                models=tuple(models or ()),
                datasets=tuple(datasets or ()),
                categories=categories,
            )
        n_models = len(board.models)
        return _board_as(form, _page(board, offset, limit), n_models=n_models)

    @router.get("/results", summary="List task results", responses=errors(422))
    def results(
        models: Models = None,
        datasets: Datasets = None,
        tasks: Annotated[list[str] | None, Query(alias="task", description="Task keys.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> ResultList:
        """List task results as trackers get them, newest first."""
        with journal_reader(home) as reader:
            found = [
                result
                for result in (reader.results() if reader is not None else ())
                if (not models or result.model in models)
                and (not datasets or result.dataset in datasets)
                and (not tasks or result.task in tasks)
            ]
        page = found[::-1][offset : offset + limit]
        return ResultList(results=tuple(page), n_results=len(found))

    @router.get("/results/{result_id}", summary="Show a task result", responses=errors(404, 422))
    def result(result_id: Annotated[str, Path(max_length=200)]) -> TaskResult:
        """Show one task result."""
        with journal_reader(home) as reader:
            everything: Iterator[TaskResult] = reader.results() if reader else iter(())
            found = next((one for one in everything if one.id == result_id), None)
        if found is None:
            raise UnknownRecordError(
                "there is no result with this id", hint="`GET /api/v1/results` lists all"
            )
        return found

    return router


def _page(board: Leaderboard, offset: int, limit: int) -> Leaderboard:
    """Keep a page of models, and the keys that these have."""
    if offset == 0 and len(board.models) <= limit:
        return board
    models = board.models[offset : offset + limit]
    chosen = set(models)
    cells = {place: cell for place, cell in board.cells.items() if place[0] in chosen}
    keys = {key for _, key in cells}
    return replace(
        board,
        models=models,
        keys=tuple(key for key in board.keys if key in keys),
        cells=cells,
        results={place: board.results[place] for place in cells},
    )


def _board_as(form: str, board: Leaderboard, *, n_models: int) -> LeaderboardBody | Response:
    if form == "csv":
        name = 'attachment; filename="leaderboard.csv"'
        text = f"{to_csv(board)}\n"
        return Response(text, media_type="text/csv", headers={"Content-Disposition": name})
    if form == "md":
        return PlainTextResponse(f"{to_markdown(board)}\n", media_type="text/markdown")
    cells = tuple(
        Cell(
            model=place[0],
            result=cell,
            outcomes=dict(board.outcomes(*place)),
            n_samples=board.results[place].n_samples,
            n_total=coverage_of(board.results[place]).n_total,
        )
        for place, cell in board.cells.items()
    )
    return LeaderboardBody(models=board.models, keys=board.keys, cells=cells, n_models=n_models)
