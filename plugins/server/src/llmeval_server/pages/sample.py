"""One sample with everything: asked, answered, expected, scored; and the ones beside it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from llmeval_core.api import (
    JournalQueries,
    SampleCriteria,
    SampleSelection,
    find_samples,
    sample_at,
    sample_page,
)
from llmeval_server.errors import UnknownRecordError
from llmeval_server.pages.memory import Memory
from llmeval_server.pages.rendering import Renderer
from llmeval_server.pages.samples import Shown, find_asked, read_place, read_query

_MOST_CHARACTERS = 50_000


class OneSamplePage:
    """`/samples/one`.

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
        index = read_place(request.query_params, "index") or 0
        with self._memory.reader() as maybe:
            reader, found = find_asked(maybe, asked)
            result = sample_at(reader, found, index)
            if result is None:
                raise UnknownRecordError(
                    f"the journal has no sample number {index} of '{asked.task}'",
                    where=asked.model,
                )
            whole = find_samples(reader, SampleCriteria(asked.task, asked.model))
            return self._renderer.page(
                request,
                "sample.html",
                asked=asked,
                shown=Shown.of(result, found, whole),
                most=None if request.query_params.get("whole") else _MOST_CHARACTERS,
                previous=_beside(reader, found, index, backwards=True),
                next=_beside(reader, found, index, backwards=False),
            )


def _beside(
    reader: JournalQueries, found: SampleSelection, index: int, *, backwards: bool
) -> int | None:
    """Find the sample before or after one that fits the same filter; None if there is none."""
    start = index - 1 if backwards else index + 1
    if start < 0:
        return None
    page = sample_page(reader, found, start=start, limit=1, backwards=backwards)
    return page.samples[0].index if page.samples else None
