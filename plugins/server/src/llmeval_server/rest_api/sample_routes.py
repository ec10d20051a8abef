"""Samples with their requests, answers and scores: a page of them, or all as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from llmeval_core.api import (
    BoundedCount,
    SampleCriteria,
    UnknownNameError,
    count_samples,
    find_samples,
    sample_json,
    sample_page,
)
from llmeval_core.hooks import Outcome
from llmeval_server.context import ServerContext
from llmeval_server.job_errors import UnknownRecordError
from llmeval_server.journal_access import journal_reader
from llmeval_server.rest_api.openapi_errors import errors
from llmeval_server.rest_api.prefix import API
from llmeval_server.rest_api.sample_export import SampleExport, csv_lines, json_lines
from llmeval_server.sample_filter import SampleFilter, sample_criteria


class SampleQuery(BaseModel):
    """Which samples to return, and in which format."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str = Field(description="`provider/model`.")
    task: str = Field(description="The task's key, `{dataset}_{n}shot`.")
    metric: str | None = Field(default=None, description="Count as `wrong` by this metric only.")
    category: str | None = Field(default=None, description="Only samples of this category.")
    show: SampleFilter = Field(
        default="all", description="All samples, or only failed or wrong ones."
    )
    outcome: Outcome | None = Field(default=None, description="Only samples with this outcome.")
    start: int = Field(
        default=0, ge=0, le=2**53, description="The index of the first sample to look at."
    )
    limit: int = Field(default=50, ge=1, le=500, description="Most samples on a page.")
    backwards: bool = Field(default=False, description="Return the page that ends at `start`.")
    form: Literal["json", "jsonl", "csv"] = Field(
        default="json", alias="format", description="A page as JSON, or all samples as a file."
    )

    def criteria(self) -> SampleCriteria:
        """Return the criteria that samples must meet."""
        return sample_criteria(self)


class Count(BaseModel):
    """A number of samples."""

    model_config = ConfigDict(frozen=True)

    n: int
    is_lower_bound: bool = Field(description="Whether there may be more.")


class SampleList(BaseModel):
    """A page of samples in the order of the data set."""

    model_config = ConfigDict(frozen=True)

    samples: tuple[dict[str, Any], ...] = Field(  # Any: JSON, see `llmeval samples --json`
        description="Fewer than `limit`, or none, do not mean that there are no more."
    )
    next: int | None = Field(description="`start` of the next page; null if this is the last.")
    previous: int | None = Field(
        description="`start` of the page before, with `backwards=true`; null if this is the first."
    )
    n_all: Count
    n_failed: Count
    n_wrong: Count
    n_outcomes: dict[Outcome, Count] = Field(
        description="Samples by outcome, except answered ones; independent of `show` and `outcome`."
    )


def sample_router(context: ServerContext) -> APIRouter:
    """Make the route of samples."""
    router = APIRouter(prefix=API, tags=["results"])
    home = context.settings.home

    @router.get(
        "/samples",
        summary="Samples of a task",
        response_model=SampleList,
        responses={
            **errors(404, 422),
            200: {
                "content": {
                    "application/jsonl": {"schema": {"type": "string"}},
                    "text/csv": {"schema": {"type": "string"}},
                }
            },
        },
    )
    def samples(query: Annotated[SampleQuery, Query()]) -> SampleList | Response:
        """Return the samples of a model's newest result of a task."""
        with journal_reader(home) as reader:
            if reader is None:
                raise UnknownRecordError("nothing was run yet")
            try:
                selection = find_samples(reader, query.criteria())
            except UnknownNameError as err:
                raise UnknownRecordError(err.what, where=err.where, hint=err.hint) from err
            if query.form == "json":
                page = sample_page(
                    reader,
                    selection,
                    start=query.start,
                    limit=query.limit,
                    backwards=query.backwards,
                )
                counts = count_samples(reader, selection)
                return SampleList(
                    samples=tuple(sample_json(sample) for sample in page.samples),
                    next=page.next,
                    previous=page.previous,
                    n_all=_count_of(counts.all),
                    n_failed=_count_of(counts.failed),
                    n_wrong=_count_of(counts.wrong),
                    n_outcomes={name: _count_of(count) for name, count in counts.outcomes.items()},
                )
        export = SampleExport(home, selection)
        lines = csv_lines(export) if query.form == "csv" else json_lines(export)
        return _download(lines, f"{query.task}.{query.form}", query.form)

    return router


def _count_of(count: BoundedCount) -> Count:
    return Count(n=count.n, is_lower_bound=count.is_lower_bound)


def _download(lines: Iterator[str], name: str, form: str) -> StreamingResponse:
    media_type = "text/csv" if form == "csv" else "application/jsonl"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return StreamingResponse(
        lines,
        media_type=f"{media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{plain}"'},
    )
