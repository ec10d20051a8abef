"""Finished samples on their way to disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from llmeval_core.errors import JournalError
from llmeval_core.journal import Journal, Reader
from llmeval_core.journal.writing import MOST_ROWS, SampleWriter
from llmeval_core.naming import fingerprint
from llmeval_core.records import (
    Generation,
    GenerationSettings,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
)


def make_result(index: int) -> SampleResult:
    question = f"question {index}"
    request = Request(
        sample_id=str(index),
        mode="chat",
        messages=(Message("user", question),),
        prompt="",
        continuations=(),
        settings=GenerationSettings(),
        fingerprint=fingerprint(index),
    )
    return SampleResult(
        index=index,
        sample=Sample(str(index), question, ("yes",), category="c"),
        request=request,
        generation=Generation(("yes",), (), "stop", 3, 1, 0.5, "served"),
        scores={"a": Score(1.0), "b": Score(None, "yes", (1.0, 2.0))},
    )


@pytest.mark.parametrize("n", [1, 7, 8, 73, MOST_ROWS + 1])
def test_everything_given_before_closing_is_on_disk(tmp_path: Path, n: int) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = SampleWriter(journal.path)

        for index in range(n):
            writer.put(task, make_result(index))
        writer.close()

        stored = list(journal.read(Reader.sample_results, task.id))
    assert [result.index for result in stored] == list(range(n))
    assert stored[-1].sample == make_result(n - 1).sample
    assert stored[-1].generation == make_result(n - 1).generation
    assert stored[-1].scores == make_result(n - 1).scores


def test_half_a_surrogate_pair_is_stored_as_a_replacement_character(tmp_path: Path) -> None:
    whole = make_result(0)
    halved = replace(make_result(1), generation=Generation(("a\ud83d", "b")))
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = SampleWriter(journal.path)

        writer.put(task, whole)
        writer.put(task, halved)
        writer.close()

        stored = list(journal.read(Reader.sample_results, task.id))
    assert [result.generation.texts for result in stored if result.generation] == [
        ("yes",),
        ("a\ufffd", "b"),
    ]


async def test_a_bug_while_writing_is_an_error_not_a_wait_without_end(tmp_path: Path) -> None:
    unwritable = replace(make_result(0), scores={"a": "no", "b": "score"})  # type: ignore[dict-item]
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])

        await journal.record(task, unwritable)

        with pytest.raises(JournalError, match="has no attribute 'value'"):
            await journal.flush()


def test_everything_given_before_a_flush_is_on_disk_when_it_is_done(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = SampleWriter(journal.path)

        counts = []
        for index in range(3):
            writer.put(task, make_result(index))
            writer.flush().result(timeout=10)
            counts.append(journal.read(Reader.totals, task.id).n_samples)
        writer.close()

    assert counts == [1, 2, 3]


@pytest.mark.parametrize("breaks", [False, True])
def test_a_flush_that_nobody_waits_for_any_more_does_not_end_the_writer(
    tmp_path: Path, breaks: bool
) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = SampleWriter(journal.path)

        with closing(sqlite3.connect(journal.path)) as other:
            other.execute("BEGIN IMMEDIATE")  # the writer has to wait for us
            writer.put(task, replace(make_result(0), index=2**70 if breaks else 0))
            given_up = writer.flush()
            cancelled = given_up.cancel()
        later = writer.flush()

        assert cancelled
        assert isinstance(later.exception(timeout=10), JournalError) == breaks
        writer.close()
