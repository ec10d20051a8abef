"""Finished samples on their way to disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval_core.errors import JournalError
from llmeval_core.generation import check_generation
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.journal.journal_writer import MOST_ROWS, JournalWriter
from llmeval_core.naming import fingerprint
from llmeval_core.records import (
    Generation,
    GenerationSettings,
    Loglikelihood,
    Message,
    Request,
    Sample,
    SampleResult,
    Score,
    StopReason,
)
from llmeval_core.testing import make_request


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
        writer = JournalWriter(journal.path)

        for index in range(n):
            writer.put(task, make_result(index))
        writer.close()

        stored = list(journal.read(JournalQueries.sample_results, task.id))
    assert [result.index for result in stored] == list(range(n))
    assert stored[-1].sample == make_result(n - 1).sample
    assert stored[-1].generation == make_result(n - 1).generation
    assert stored[-1].scores == make_result(n - 1).scores


def test_half_a_surrogate_pair_is_stored_as_a_replacement_character(tmp_path: Path) -> None:
    whole = make_result(0)
    halved = replace(make_result(1), generation=Generation(("a\ud83d", "b")))
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)

        writer.put(task, whole)
        writer.put(task, halved)
        writer.close()

        stored = list(journal.read(JournalQueries.sample_results, task.id))
    assert [result.generation.texts for result in stored if result.generation] == [
        ("yes",),
        ("a\ufffd", "b"),
    ]


@pytest.mark.parametrize(
    ("odd", "reason", "answered"),
    [
        (
            {"scores": {"a": "no", "b": "score"}},
            "AttributeError: 'str' object has no attribute 'value'",
            True,
        ),
        ({"scores": {"a": Score(1.0)}}, "KeyError: 'b'", True),
        ({"generation": Generation(("x",), finish_reason={"type": "stop"})}, "type 'dict'", False),  # type: ignore[arg-type]
        ({"generation": Generation(("x",), n_prompt_tokens=10**400)}, "OverflowError", False),
        ({"generation": Generation(("x",), latency_s=float("nan"))}, "NOT NULL", False),
        ({"sample": Sample("1", "question 1", category=["c"])}, "type 'list'", False),  # type: ignore[arg-type]
    ],
)
def test_a_sample_that_cannot_be_kept_fails_alone_and_says_why(
    tmp_path: Path, odd: dict[str, Any], reason: str, answered: bool
) -> None:
    """s02-odd-usage-crashes-and-poisons, s03-odd-answer-fields-crash."""
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)

        for index in range(20):
            writer.put(task, replace(make_result(index), **(odd if index == 1 else {})))
        writer.close()

        stored = list(journal.read(JournalQueries.sample_results, task.id))
        done = journal.read(JournalQueries.finished_indices, task.id, 0, 19)
    assert [result.index for result in stored] == list(range(20))
    assert done == set(range(20)) - {1}
    failed = stored[1]
    assert failed.failure is not None
    assert failed.failure.message.startswith("the journal cannot keep this sample: ")
    assert reason in failed.failure.message
    assert (failed.generation is not None, failed.outcome) == (
        answered,
        "unscored" if answered else "failed",
    )
    assert [result.generation for result in stored[2:]] == [
        make_result(index).generation for index in range(2, 20)
    ]


def test_counts_that_an_earlier_version_kept_wrongly_are_unknown(tmp_path: Path) -> None:
    """s02-odd-usage-crashes-and-poisons: a journal that was poisoned can be finished."""
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)
        for index in range(4):
            writer.put(task, make_result(index))
        writer.close()
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as old:
            for index, count in enumerate((0.5, "many", -7, 2**62)):
                old.execute(
                    "UPDATE generations SET n_prompt_tokens = ?, n_completion_tokens = ?,"
                    " latency_s = 'long' WHERE fingerprint = ?",
                    (count, 1 if index else count, bytes.fromhex(fingerprint(index))),
                )

        totals = journal.read(JournalQueries.totals, task.id)
        used = journal.read(JournalQueries.usage, "m/m")
        stored = list(journal.read(JournalQueries.sample_results, task.id))

    assert (totals.model.n_prompt_tokens, totals.model.n_completion_tokens) == (None, 3)
    assert used is not None
    assert (used.n_prompt_tokens, used.n_completion_tokens) == (None, 1.0)
    assert [result.generation and result.generation.n_prompt_tokens for result in stored] == [
        None
    ] * 4


def test_a_log_likelihood_that_is_no_number_is_asked_again_and_replaced(tmp_path: Path) -> None:
    weighed = replace(make_result(0), generation=Generation((), (Loglikelihood(-1.0, 1),)))
    key = fingerprint(0)
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d", metrics=["a", "b"], cache_key="r")
        writer = JournalWriter(journal.path)
        writer.put(task, weighed)
        writer.flush().result(timeout=10)
        with closing(sqlite3.connect(journal.path, isolation_level=None)) as old:
            old.execute("UPDATE generations SET loglikelihoods = '[[NaN,1,null]]'")

        before = journal.read(JournalQueries.generations, [key])
        before_by_place = journal.read(JournalQueries.answered_at, "r", 0, 9)
        writer.put(task, weighed)
        writer.flush().result(timeout=10)
        second = replace(weighed, generation=Generation((), (Loglikelihood(-2.0, 1),)))
        writer.put(task, second)
        writer.close()
        after = journal.read(JournalQueries.generations, [key])

    assert (before, before_by_place) == ({}, {})
    assert after == {key: weighed.generation}  # of two good answers the first stays


_TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
_COUNTS = st.none() | st.integers(min_value=0, max_value=10**9)


@st.composite
def answers(draw: st.DrawFn) -> Generation:
    """Any answer that the core takes from a model."""
    texts = tuple(draw(st.lists(_TEXTS, min_size=1, max_size=3)))
    reasons = st.sampled_from(get_args(StopReason))
    exactly: dict[str, Any] = {"min_size": len(texts), "max_size": len(texts)}
    return Generation(
        texts,
        finish_reason=draw(st.none() | _TEXTS),
        n_prompt_tokens=draw(_COUNTS),
        n_completion_tokens=draw(_COUNTS),
        latency_s=draw(st.floats(min_value=0, max_value=1e9)),
        served_by=draw(st.none() | _TEXTS),
        stop_reasons=tuple(draw(st.just([]) | st.lists(reasons, **exactly))),
        reasonings=tuple(draw(st.just([]) | st.lists(st.none() | _TEXTS, **exactly))),
        n_reasoning_tokens=draw(_COUNTS),
        refusal=draw(st.none() | _TEXTS),
    )


@settings(max_examples=15, deadline=None)  # each waits for the disk
@given(st.lists(answers(), min_size=1, max_size=10))
def test_every_answer_that_the_core_takes_is_read_back_equal(given: list[Generation]) -> None:
    request = replace(make_request(), continuations=())
    with TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)
        for index, generation in enumerate(given):
            of_n = replace(request, settings=GenerationSettings(n=len(generation.texts)))
            check_generation(of_n, generation)
            writer.put(task, replace(make_result(index), generation=generation))
        writer.close()

        stored = list(journal.read(JournalQueries.sample_results, task.id))

    assert [result.generation for result in stored] == given


def test_everything_given_before_a_flush_is_on_disk_when_it_is_done(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)

        counts = []
        for index in range(3):
            writer.put(task, make_result(index))
            writer.flush().result(timeout=10)
            counts.append(journal.read(JournalQueries.totals, task.id).n_samples)
        writer.close()

    assert counts == [1, 2, 3]


@pytest.mark.parametrize("breaks", [False, True])
def test_a_flush_that_nobody_waits_for_any_more_does_not_end_the_writer(
    tmp_path: Path, breaks: bool
) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("0" * 32, model="m/m", key="d_0shot", metrics=["a", "b"])
        writer = JournalWriter(journal.path)

        with closing(sqlite3.connect(journal.path)) as other:
            other.execute("BEGIN IMMEDIATE")  # the writer has to wait for us
            writer.put(task, replace(make_result(0), index=2**70 if breaks else 0))
            given_up = writer.flush()
            cancelled = given_up.cancel()
        later = writer.flush()

        assert cancelled
        assert isinstance(later.exception(timeout=10), JournalError) == breaks
        writer.close()


def test_a_writer_that_is_closed_takes_nothing_and_says_so(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f" * 32, model="m", key="k", metrics=[], cache_key="c")
        writer = JournalWriter(journal.path)
        writer.close()

        for refused in (writer.publish(), writer.flush()):
            with pytest.raises(JournalError, match="the journal is closed"):
                refused.result(timeout=10)
        with pytest.raises(JournalError, match="the journal is closed"):
            writer.put(task, make_result(0))
