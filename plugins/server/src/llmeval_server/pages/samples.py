"""Samples of one task of one model, a page at a time; and the list of tasks that have some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import (
    JournalQueries,
    SampleCriteria,
    SamplePage,
    SampleSelection,
    count_samples,
    find_samples,
    sample_categories,
    sample_page,
    samples_by_id,
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
from llmeval_server.errors import UnknownRecordError
from llmeval_server.pages.memory import Memory
from llmeval_server.pages.rendering import Renderer
from llmeval_server.sample_filter import SampleFilter, sample_criteria

SAMPLES_A_PAGE = 50
_LARGEST_PLACE = 10**12

Judged = Literal["good", "bad", "between"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link to samples asks for."""

    model: str
    task: str
    metric: str | None
    category: str | None
    show: SampleFilter
    outcome: Outcome | None = None

    def query(self) -> dict[str, str | None]:
        """Return the query of a link to the same."""
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
        """Return which samples these are."""
        return sample_criteria(
            self.model,
            self.task,
            metric=self.metric,
            category=self.category,
            show=self.show,
            outcome=self.outcome,
        )


def read_query(query: QueryParams) -> Asked:
    """Read the query of a link to samples; what makes no sense is left out."""
    show = query.get("show", "all")
    outcome = query.get("outcome")
    return Asked(
        model=query.get("model", ""),
        task=query.get("task", ""),
        metric=query.get("metric") or None,
        category=query.get("category") or None,
        show=next((ending for ending in get_args(SampleFilter) if ending == show), "all"),
        outcome=next((one for one in OUTCOMES if one == outcome), None),
    )


def read_place(query: QueryParams, name: str) -> int | None:
    """Read a sample's place from a query; None if it is not there or no number."""
    text = query.get(name, "")
    return min(int(text), _LARGEST_PLACE) if text.isdecimal() and len(text) < 100 else None


def find_asked(
    reader: JournalQueries | None, asked: Asked
) -> tuple[JournalQueries, SampleSelection]:
    """Find the task that a link asks for.

    Raises:
        UnknownRecordError: it is not in the journal.
    """
    if reader is None:
        raise UnknownRecordError("the journal has no samples yet")
    try:
        found = find_samples(reader, asked.criteria())
    except LlmevalError as err:
        raise UnknownRecordError(err.what, where=err.where, hint=err.hint) from err
    return reader, found


class SamplesPage:
    """`/samples`.

    Args:
        renderer: makes pages.
        memory: the journal.
    """

    def __init__(self, renderer: Renderer, memory: Memory) -> None:
        self._renderer = renderer
        self._memory = memory

    def show(self, request: Request) -> Response:
        """Render the page; blocking."""
        asked = read_query(request.query_params)
        with self._memory.reader() as reader:
            if not asked.model and not asked.task:
                tasks = {(task.model, task.key): task for task in reader.tasks()} if reader else {}
                newest_first = sorted(tasks.values(), key=lambda task: -task.id)
                return self._renderer.page(request, "tasks.html", tasks=newest_first)
            return self._page(request, asked, *find_asked(reader, asked))

    def _page(
        self, request: Request, asked: Asked, reader: JournalQueries, found: SampleSelection
    ) -> Response:
        sample_id = request.query_params.get("id", "").strip()
        page = self._read(request.query_params, reader, found)
        whole = find_samples(reader, SampleCriteria(asked.task, asked.model))
        return self._renderer.page(
            request,
            "samples.html",
            asked=asked,
            rows=[Shown.of(result, found, whole) for result in page.samples],
            page=page,
            sample_id=sample_id,
            counts=count_samples(reader, found),
            metrics=list(whole.metrics),
            categories=sample_categories(reader, found),
        )

    @staticmethod
    def _read(query: QueryParams, reader: JournalQueries, found: SampleSelection) -> SamplePage:
        sample_id = query.get("id", "").strip()
        if sample_id:
            samples = samples_by_id(reader, found, sample_id, limit=SAMPLES_A_PAGE)
            return SamplePage(samples, next=None, previous=None)
        last = read_place(query, "to")
        start = last if last is not None else read_place(query, "from") or 0
        return sample_page(
            reader, found, start=start, limit=SAMPLES_A_PAGE, backwards=last is not None
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample with what its scores mean.

    Args:
        result: the sample.
        scores: by metric, the value and whether it is good or bad.
        answers: the answers, with their reasoning apart.
    """

    result: SampleResult
    scores: tuple[tuple[str, float | None, Judged], ...]
    answers: tuple[ReasoningSplit, ...]

    @classmethod
    def of(cls, result: SampleResult, found: SampleSelection, whole: SampleSelection) -> Shown:
        """Judge a sample's scores; those that are not asked about as those of a whole task."""
        return cls(
            result,
            tuple(
                (name, score.value, _judge(name, score.value, found, whole))
                for name, score in result.scores.items()
            ),
            _parted(result, found),
        )


def _parted(result: SampleResult, found: SampleSelection) -> tuple[ReasoningSplit, ...]:
    if result.generation is None:
        return ()
    finder = ReasoningFinder(found.reasoning_tags)
    return tuple(split_answers(result.generation, finder))


def _judge(
    metric: str, value: float | None, found: SampleSelection, whole: SampleSelection
) -> Judged:
    if (found if metric in found.metrics else whole).is_bad(metric, value):
        return "bad"
    return "good" if whole.is_perfect(metric, value) else "between"
