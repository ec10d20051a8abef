"""The samples of one task of one model, page by page; and the list of tasks with samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import (
    JournalQueries,
    SampleCriteria,
    SamplePage,
    SampleSelection,
    ToldTurn,
    count_samples,
    find_samples,
    sample_categories,
    sample_page,
    samples_by_id,
    told_turns,
)
from llmeval_core.hooks import (
    OUTCOMES,
    LlmevalError,
    Outcome,
    ReasoningFinder,
    ReasoningSplit,
    SampleResult,
    split_answers,
)
from llmeval_server.job_errors import UnknownRecordError
from llmeval_server.journal_access import journal_reader
from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.sample_filter import SampleFilter, sample_criteria

SAMPLES_A_PAGE = 50
_MAX_INDEX = 10**12

ScoreQuality = Literal["good", "bad", "between"]


@dataclass(frozen=True, slots=True)
class SamplesQuery:
    """The task and the filters in the address of a page of samples."""

    model: str
    task: str
    metric: str | None
    category: str | None
    show: SampleFilter
    outcome: Outcome | None = None

    def parameters(self) -> dict[str, str | None]:
        """Return the parameters of a link to the same samples."""
        show = None if self.show == "all" else self.show
        return {
            "model": self.model,
            "task": self.task,
            "metric": self.metric,
            "category": self.category,
            "show": show,
            "outcome": self.outcome,
        }

    def criteria(self) -> SampleCriteria:
        """Return the criteria that samples must meet."""
        return sample_criteria(self)


def parse_query(query: QueryParams) -> SamplesQuery:
    """Parse the query of an address; values that make no sense are ignored."""
    show = query.get("show", "all")
    outcome = query.get("outcome")
    return SamplesQuery(
        model=query.get("model", ""),
        task=query.get("task", ""),
        metric=query.get("metric") or None,
        category=query.get("category") or None,
        show=next((ending for ending in get_args(SampleFilter) if ending == show), "all"),
        outcome=next((one for one in OUTCOMES if one == outcome), None),
    )


def parse_index(query: QueryParams, name: str) -> int | None:
    """Parse a sample's index in a query; None if it is missing or not a number."""
    text = query.get(name, "")
    return min(int(text), _MAX_INDEX) if text.isdecimal() and len(text) < 100 else None


def find_selection(
    reader: JournalQueries | None, query: SamplesQuery
) -> tuple[JournalQueries, SampleSelection]:
    """Find the samples that an address asks for.

    Raises:
        UnknownRecordError: the task is not in the journal.
    """
    if reader is None:
        raise UnknownRecordError("the journal has no samples yet")
    try:
        selection = find_samples(reader, query.criteria())
    except LlmevalError as err:
        raise UnknownRecordError(err.what, where=err.where, hint=err.hint) from err
    return reader, selection


class SamplesPage:
    """`/samples`.

    Args:
        renderer: renders pages.
        home: the folder of the journal.
    """

    def __init__(self, renderer: Renderer, home: Path) -> None:
        self._renderer = renderer
        self._home = home

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        query = parse_query(request.query_params)
        with journal_reader(self._home) as reader:
            if not query.model and not query.task:
                tasks = {(task.model, task.key): task for task in reader.tasks()} if reader else {}
                newest_first = sorted(tasks.values(), key=lambda task: -task.id)
                return self._renderer.page(request, "tasks.html", tasks=newest_first)
            return self._page(request, query, *find_selection(reader, query))

    def _page(
        self,
        request: Request,
        query: SamplesQuery,
        reader: JournalQueries,
        selection: SampleSelection,
    ) -> Response:
        sample_id = request.query_params.get("id", "").strip()
        page = self._read(request.query_params, reader, selection)
        whole = find_samples(reader, SampleCriteria(query.task, query.model))
        return self._renderer.page(
            request,
            "samples.html",
            query=query,
            rows=[SampleView.of(result, selection, whole) for result in page.samples],
            page=page,
            sample_id=sample_id,
            counts=count_samples(reader, selection),
            metrics=list(whole.metrics),
            categories=sample_categories(reader, selection),
        )

    @staticmethod
    def _read(
        parameters: QueryParams,
        reader: JournalQueries,
        selection: SampleSelection,
    ) -> SamplePage:
        sample_id = parameters.get("id", "").strip()
        if sample_id:
            samples = samples_by_id(reader, selection, sample_id, limit=SAMPLES_A_PAGE)
            return SamplePage(samples, next=None, previous=None)
        last = parse_index(parameters, "to")
        start = last if last is not None else parse_index(parameters, "from") or 0
        return sample_page(
            reader,
            selection,
            start=start,
            limit=SAMPLES_A_PAGE,
            backwards=last is not None,
        )


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample for the pages, with the meaning of its scores.

    Args:
        result: the sample.
        scores: the metric, its value and its quality.
        answers: the answers, separated from their reasoning.
        turns: what was asked in turn, if that was more than one request.
    """

    result: SampleResult
    scores: tuple[tuple[str, float | None, ScoreQuality], ...]
    answers: tuple[ReasoningSplit, ...]
    turns: tuple[ToldTurn, ...] = ()

    @classmethod
    def of(
        cls, result: SampleResult, selection: SampleSelection, whole: SampleSelection
    ) -> SampleView:
        """Judge a sample's scores; those outside of the selection as in the whole task."""
        return cls(
            result,
            tuple(
                (name, score.value, _quality(name, score.value, selection, whole))
                for name, score in result.scores.items()
            ),
            _split_answers(result, selection),
            tuple(told_turns(result.turns, ReasoningFinder(selection.reasoning_tags))),
        )


def _split_answers(result: SampleResult, selection: SampleSelection) -> tuple[ReasoningSplit, ...]:
    if result.generation is None:
        return ()
    finder = ReasoningFinder(selection.reasoning_tags)
    return tuple(split_answers(result.generation, finder))


def _quality(
    metric: str, value: float | None, selection: SampleSelection, whole: SampleSelection
) -> ScoreQuality:
    if (selection if metric in selection.metrics else whole).is_bad(metric, value):
        return "bad"
    return "good" if whole.is_perfect(metric, value) else "between"
