"""Reading the samples that were found: a page at a time, one by one, all; and counting them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from llmeval_core.api.sample_selection import SampleSelection
from llmeval_core.journal import BoundedCount, IndexQuery, JournalQueries
from llmeval_core.records import OUTCOMES, Outcome, SampleResult

_FIRST_READ, _MOST_READ = 25, 500  # who streams may want only a few


@dataclass(frozen=True, slots=True)
class SamplePage:
    """Some samples in order.

    Args:
        samples: the samples; may be fewer than asked for, or none, though there are more.
        next: the place where the next page starts; None if this is the last.
        previous: the place from which the page before goes backwards; None if this is the first.
    """

    samples: tuple[SampleResult, ...]
    next: int | None
    previous: int | None


@dataclass(frozen=True, slots=True)
class SampleCounts:
    """How many samples there are, of which failed and of which are wrong.

    Args:
        outcomes: how many ended how, without those that were answered; empty if all were.
    """

    all: BoundedCount
    failed: BoundedCount
    wrong: BoundedCount
    outcomes: dict[Outcome, BoundedCount] = field(default_factory=dict)


def sample_page(
    reader: JournalQueries,
    found: SampleSelection,
    *,
    start: int = 0,
    limit: int = 50,
    backwards: bool = False,
) -> SamplePage:
    """Read the samples that fit, from a place in the task on; as quick at the millionth sample.

    Args:
        reader: of the journal.
        found: which samples; see `find_samples`.
        start: the first place to look at; a sample's index, or `next` of the page before.
        limit: most samples on the page.
        backwards: the page that ends at `start` (or `previous` of the page after), in order.
    """
    page = reader.index.page(_index_query(found), start=start, limit=limit, backwards=backwards)
    samples = tuple(reader.samples_at(found.task.id, page.indices))
    before, after = start - 1, None if page.cursor is None else page.cursor + 1
    if backwards:
        before, after = -1 if page.cursor is None else page.cursor - 1, start + 1
    return SamplePage(samples, after, before if before >= 0 else None)


def stream_samples(reader: JournalQueries, found: SampleSelection) -> Iterator[SampleResult]:
    """Stream all samples that fit, in order; the journal is never held for long."""
    start: int | None = 0
    limit = _FIRST_READ
    while start is not None:
        page = sample_page(reader, found, start=start, limit=limit)
        yield from page.samples
        start = page.next
        limit = min(2 * limit, _MOST_READ)


def samples_by_id(
    reader: JournalQueries, found: SampleSelection, sample_id: str, *, limit: int = 50
) -> tuple[SampleResult, ...]:
    """Read the samples of the task whose id is or begins with a text, in the order of their ids."""
    indices = reader.index.with_id(found.task.id, sample_id, limit=limit)
    return tuple(reader.samples_at(found.task.id, indices))


def sample_at(reader: JournalQueries, found: SampleSelection, index: int) -> SampleResult | None:
    """Read the sample of the task at one place; None if it is not there, or not yet."""
    return next(reader.samples_at(found.task.id, (index,)), None)


def sample_categories(reader: JournalQueries, found: SampleSelection) -> list[str]:
    """Name the categories of the task, sorted, without reading its samples."""
    return reader.index.categories(found.task.id)


def count_samples(reader: JournalQueries, found: SampleSelection) -> SampleCounts:
    """Count the samples of the selection's category and outcomes: all, failed and wrong ones.

    Large numbers are known only if a result knows them.
    """
    task, result = found.task, None
    if found.category is None:
        result = reader.result_of(task.model, task.key, task.fingerprint)
    if result is not None and not found.outcomes:
        every, failed = BoundedCount(result.n_samples), BoundedCount(result.n_failed)
    else:
        every = _count(reader, replace(found, failed=False, wrong=False))
        failed = _count(reader, replace(found, failed=True, wrong=False))
    return SampleCounts(
        every,
        failed,
        wrong=_count(reader, replace(found, failed=False, wrong=True)),
        outcomes=_count_outcomes(reader, found)
        if result is None
        else {
            outcome: BoundedCount(number)
            for outcome, number in result.outcomes.items()
            if outcome != "answered"
        },
    )


def _count_outcomes(reader: JournalQueries, found: SampleSelection) -> dict[Outcome, BoundedCount]:
    counted: dict[Outcome, BoundedCount] = {}
    for outcome in OUTCOMES[1:]:
        ended_so = replace(found, outcomes=frozenset({outcome}), failed=False, wrong=False)
        count = _count(reader, ended_so)
        if count.n:
            counted[outcome] = count
    return counted


def _count(reader: JournalQueries, found: SampleSelection) -> BoundedCount:
    return reader.index.count(_index_query(found))


def _index_query(found: SampleSelection) -> IndexQuery:
    places = {name: place for place, name in enumerate(found.task.metrics)}
    wrong = {
        places[metric]: "".join(map(str, buckets))
        for metric, buckets in found.wrong_buckets.items()
        if metric in places
    }
    return IndexQuery(
        found.task.id,
        failed=found.failed,
        wrong=found.wrong,
        wrong_buckets=wrong,
        category=found.category,
        outcomes=found.outcomes,
    )
