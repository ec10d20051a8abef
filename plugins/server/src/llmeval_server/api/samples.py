"""Samples: what was asked, answered, expected and scored; a page at a time, or all as a file."""

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
from llmeval_server.api.prefix import API
from llmeval_server.api.reading import journal_reader
from llmeval_server.api.responses import errors
from llmeval_server.api.sample_files import SampleChoice, csv_lines, json_lines
from llmeval_server.context import ServerContext
from llmeval_server.errors import UnknownRecordError
from llmeval_server.sample_filter import SampleFilter, sample_criteria


class SampleWish(BaseModel):
    """Which samples, and how they are sent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    model: str = Field(description="`provider/model`.")
    task: str = Field(description="The task's key, `{dataset}_{n}shot`.")
    metric: str | None = Field(default=None, description="What `wrong` means: this metric's.")
    category: str | None = Field(default=None, description="Only of this category.")
    show: SampleFilter = Field(default="all", description="All, or failed or wrong ones only.")
    outcome: Outcome | None = Field(default=None, description="Only those that ended so.")
    start: int = Field(default=0, ge=0, le=2**53, description="The first place to look at.")
    limit: int = Field(default=50, ge=1, le=500, description="Most samples on a page.")
    backwards: bool = Field(default=False, description="The page that ends at `start` instead.")
    form: Literal["json", "jsonl", "csv"] = Field(
        default="json", alias="format", description="A page as JSON, or all as a file."
    )

    def criteria(self) -> SampleCriteria:
        """Return what is asked for."""
        return sample_criteria(
            self.model,
            self.task,
            metric=self.metric,
            category=self.category,
            show=self.show,
            outcome=self.outcome,
        )


class HowMany(BaseModel):
    """A number of samples."""

    model_config = ConfigDict(frozen=True)

    n: int
    is_lower_bound: bool = Field(description="Whether there may be more.")


class SampleList(BaseModel):
    """A page of samples in the order of the data set."""

    model_config = ConfigDict(frozen=True)

    samples: tuple[dict[str, Any], ...] = Field(  # Any: JSON, see `llmeval samples --json`
        description="May be fewer than `limit`, or none, though there are more."
    )
    next: int | None = Field(description="`start` of the next page; null if this is the last.")
    previous: int | None = Field(
        description="`start` of the page before, with `backwards=true`; null if this is the first."
    )
    n_all: HowMany
    n_failed: HowMany
    n_wrong: HowMany
    n_outcomes: dict[Outcome, HowMany] = Field(
        description="How many ended otherwise than answered, whatever `show` and `outcome` ask for."
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
    def samples(wanted: Annotated[SampleWish, Query()]) -> SampleList | Response:
        """Show the samples of the newest result of a model at a task."""
        with journal_reader(home) as reader:
            if reader is None:
                raise UnknownRecordError("nothing was run yet")
            try:
                found = find_samples(reader, wanted.criteria())
            except UnknownNameError as err:
                raise UnknownRecordError(err.what, where=err.where, hint=err.hint) from err
            if wanted.form == "json":
                page = sample_page(
                    reader,
                    found,
                    start=wanted.start,
                    limit=wanted.limit,
                    backwards=wanted.backwards,
                )
                counts = count_samples(reader, found)
                return SampleList(
                    samples=tuple(sample_json(sample) for sample in page.samples),
                    next=page.next,
                    previous=page.previous,
                    n_all=_how_many(counts.all),
                    n_failed=_how_many(counts.failed),
                    n_wrong=_how_many(counts.wrong),
                    n_outcomes={name: _how_many(count) for name, count in counts.outcomes.items()},
                )
        choice = SampleChoice(home, found)
        lines = csv_lines(choice) if wanted.form == "csv" else json_lines(choice)
        return _download(lines, f"{wanted.task}.{wanted.form}", wanted.form)

    return router


def _how_many(count: BoundedCount) -> HowMany:
    return HowMany(n=count.n, is_lower_bound=count.is_lower_bound)


def _download(lines: Iterator[str], name: str, form: str) -> StreamingResponse:
    kind = "text/csv" if form == "csv" else "application/jsonl"
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return StreamingResponse(
        lines,
        media_type=f"{kind}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{plain}"'},
    )
