"""Samples a page at a time: every sample is met once, whatever the filter and the direction."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.api import (
    BoundedCount,
    SampleCriteria,
    SampleSelection,
    count_samples,
    find_samples,
    sample_at,
    sample_categories,
    sample_page,
    samples_by_id,
    stream_samples,
)
from llmeval_core.errors import UnknownNameError
from llmeval_core.journal import Journal, JournalQueries, sample_index, score_bucket
from llmeval_core.journal.scores import score_buckets
from llmeval_core.records import Failure, Outcome, SampleResult, Score
from llmeval_core.testing import (
    FakeDataset,
    FakeModel,
    make_generation,
    make_request,
    make_sample,
    run_in,
)

N_SAMPLES = 240
KINDS = [(False, False), (True, False), (False, True), (True, True)]


def result(index: int) -> SampleResult:
    failed = index % 11 == 0
    scores = {"m": Score(index % 5 / 4), "n": Score(None if index % 3 else 1.0)}
    return SampleResult(
        index=index,
        sample=make_sample(id=f"q{index}", category=None if index % 7 == 0 else f"c{index % 2}"),
        request=make_request(f"question {index}"),
        generation=None if failed else make_generation("answer"),
        scores={} if failed else scores,
        failure=Failure("timeout", "too late") if failed else None,
        outcome="failed" if failed else "truncated" if index % 3 == 0 else "answered",
    )


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[JournalQueries]:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f", model="a/b/c", key="d_0shot", metrics=["m", "n"])
        other = journal.begin_task("g", model="a/other", key="d_0shot", metrics=["m", "n"])
        for index in range(N_SAMPLES):
            await journal.record(task, result(index))
            await journal.record(other, result(index))
        await journal.flush()
        with journal.reader() as opened:
            yield opened


def criteria(**others: Any) -> SampleCriteria:
    return SampleCriteria(**{"key": "d_0shot", "model": "a/b/c", **others})


def fitting(reader: JournalQueries, found: SampleSelection) -> list[int]:
    """Look at every sample, without an index."""

    def fits(one: SampleResult) -> bool:
        is_failed = found.failed and one.failure is not None
        is_wrong = found.wrong and any(
            found.is_bad(metric, score.value) for metric, score in one.scores.items()
        )
        return (
            found.category in (None, one.sample.category)
            and (not found.outcomes or one.outcome in found.outcomes)
            and (not (found.failed or found.wrong) or is_failed or is_wrong)
        )

    return [one.index for one in reader.sample_results(found.task.id) if fits(one)]


def pages(reader: JournalQueries, found: SampleSelection, *, backwards: bool = False) -> list[int]:
    """Turn pages until there is none, and list what was on them."""
    place: int | None = N_SAMPLES if backwards else 0
    met: list[int] = []
    while place is not None:
        page = sample_page(reader, found, start=place, limit=7, backwards=backwards)
        indices = [sample.index for sample in page.samples]
        met = indices + met if backwards else met + indices
        place = page.previous if backwards else page.next
    return met


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("metric", [None, "m", "n"])
@pytest.mark.parametrize("category", [None, "c1"])
@pytest.mark.parametrize(("failed", "wrong"), KINDS)
async def test_turning_pages_meets_what_a_look_at_every_sample_finds(
    reader: JournalQueries,
    monkeypatch: pytest.MonkeyPatch,
    *,
    failed: bool,
    wrong: bool,
    category: str | None,
    metric: str | None,
    backwards: bool,
) -> None:
    monkeypatch.setattr(sample_index, "MOST_COUNTED", 30)  # so that a page ends before it is full
    outcomes: tuple[tuple[Outcome, ...], ...] = (
        (),
        ("answered",),
        ("truncated",),
        ("failed",),
        ("truncated", "failed"),
        ("answered", "failed", "refused"),
    )
    for some in outcomes:
        found = find_samples(
            reader,
            criteria(
                metric=metric,
                category=category,
                outcomes=frozenset(some),
                failed=failed,
                wrong=wrong,
            ),
        )
        shown = fitting(reader, found)

        assert shown == pages(reader, found, backwards=backwards)
        assert shown == [one.index for one in stream_samples(reader, found)]


async def test_a_page_has_all_of_a_sample(reader: JournalQueries) -> None:
    found = find_samples(reader, criteria())

    page = sample_page(reader, found, start=100, limit=3)

    assert [sample.index for sample in page.samples] == [100, 101, 102]
    assert (page.next, page.previous) == (103, 99)
    assert list(reader.sample_results(found.task.id))[100:103] == list(page.samples)


async def test_the_first_page_and_the_last_say_so(reader: JournalQueries) -> None:
    found = find_samples(reader, criteria())

    assert sample_page(reader, found, limit=10).previous is None
    assert sample_page(reader, found, start=N_SAMPLES - 10, limit=10).next is None


async def test_samples_are_counted_by_how_they_ended(
    reader: JournalQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_samples(reader, criteria(metric="m"))
    n_wrong = len(fitting(reader, replace(found, wrong=True)))

    counts = count_samples(reader, found)
    monkeypatch.setattr(sample_index, "MOST_COUNTED", 100)
    least = count_samples(reader, found)

    assert (BoundedCount(240), BoundedCount(22), BoundedCount(n_wrong)) == (
        counts.all,
        counts.failed,
        counts.wrong,
    )
    assert BoundedCount(100, is_lower_bound=True) == least.all
    assert counts.outcomes == {"truncated": BoundedCount(72), "failed": BoundedCount(22)}


async def test_a_result_knows_how_many_samples_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_in(tmp_path, datasets={"fake": FakeDataset(50)}, models={"fake": FakeModel()})
    monkeypatch.setattr(sample_index, "MOST_COUNTED", 10)

    with Journal(tmp_path) as journal, journal.reader() as reader:
        counts = count_samples(
            reader, find_samples(reader, SampleCriteria("fake_0shot", "fake/model"))
        )

    assert (BoundedCount(50), BoundedCount(0)) == (counts.all, counts.failed)


async def test_a_sample_is_found_by_its_id_or_its_beginning(reader: JournalQueries) -> None:
    found = find_samples(reader, criteria())

    whole = [one.index for one in samples_by_id(reader, found, "q17")]
    assert whole == [17, *range(170, 180)]
    assert [one.index for one in samples_by_id(reader, found, "q23", limit=3)] == [23, 230, 231]
    assert samples_by_id(reader, found, "%") == ()
    assert samples_by_id(reader, found, "nobody") == ()


async def test_a_sample_is_found_by_its_place(reader: JournalQueries) -> None:
    found = find_samples(reader, criteria())
    there, nowhere = sample_at(reader, found, 5), sample_at(reader, found, N_SAMPLES)

    assert there is not None
    assert there.sample.id == "q5"
    assert nowhere is None


async def test_categories_are_named_without_reading_the_task(reader: JournalQueries) -> None:
    found = find_samples(reader, criteria())

    assert sample_categories(reader, found) == ["c0", "c1"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            {"model": "a/x"},
            "the journal has no samples of 'd_0shot' from 'a/x'\n"
            "  try:   these have: a/b/c, a/other",
        ),
        (
            {"key": "e_0shot"},
            "the journal has no samples of 'e_0shot'\n"
            "  try:   did you mean 'd_0shot'? `llmeval results` shows what there is",
        ),
        ({"metric": "mm"}, "the task has no metric 'mm'\n  try:   did you mean 'm'?"),
        ({"category": "x"}, "the task has no category 'x'\n  try:   there are: c0, c1"),
    ],
)
async def test_an_unknown_name_is_told(
    reader: JournalQueries, names: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        find_samples(reader, criteria(**names))

    assert message == str(caught.value)


@pytest.mark.parametrize("value", [None, -1.0, 0.0, 1e-300, 0.5, 1 - 1e-16, 1.0, 7.0])
def test_the_index_and_the_views_give_a_score_the_same_grade(value: float | None) -> None:
    shown = "-" if value is None else str(score_bucket(value))

    assert shown == score_buckets([value])
