"""One sample's page: request, answer, reference, scores, and links to its neighbours."""

from __future__ import annotations

from pathlib import Path

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
from llmeval_server.job_errors import UnknownRecordError
from llmeval_server.journal_access import journal_reader
from llmeval_server.pages.page_renderer import Renderer
from llmeval_server.pages.samples_page import (
    SampleView,
    find_selection,
    parse_index,
    parse_query,
)

_MAX_CHARACTERS = 50_000


class OneSamplePage:
    """`/samples/one`.

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
        index = parse_index(request.query_params, "index") or 0
        with journal_reader(self._home) as maybe:
            reader, selection = find_selection(maybe, query)
            result = sample_at(reader, selection, index)
            if result is None:
                raise UnknownRecordError(
                    f"the journal has no sample number {index} of '{query.task}'",
                    where=query.model,
                )
            whole = find_samples(reader, SampleCriteria(query.task, query.model))
            return self._renderer.page(
                request,
                "sample.html",
                query=query,
                view=SampleView.of(result, selection, whole),
                most=None if request.query_params.get("whole") else _MAX_CHARACTERS,
                previous=_neighbour(reader, selection, index, backwards=True),
                next=_neighbour(reader, selection, index, backwards=False),
            )


def _neighbour(
    reader: JournalQueries,
    selection: SampleSelection,
    index: int,
    *,
    backwards: bool,
) -> int | None:
    """Return the index of the previous or next sample of the filter; None if there is none."""
    start = index - 1 if backwards else index + 1
    if start < 0:
        return None
    page = sample_page(reader, selection, start=start, limit=1, backwards=backwards)
    return page.samples[0].index if page.samples else None
