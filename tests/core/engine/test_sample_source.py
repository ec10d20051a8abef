"""Samples as they come from a data set: numbered, limited, checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval_core.engine.duplicate_filter import DuplicateFilter
from llmeval_core.engine.sample_source import BATCH_SIZE, SampleSource
from llmeval_core.errors import DatasetError, LlmevalError
from llmeval_core.prompting import Prompter
from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, make_sample, run_in
from llmeval_core.testing.running import plan_of


class Breaking(FakeDataset):
    """Raises after some samples."""

    def __init__(self, n: int, error: Exception) -> None:
        super().__init__(n)
        self._error = error

    def samples(self) -> Iterator[Sample]:
        yield from super().samples()
        raise self._error


def source(dataset: FakeDataset, **config: Any) -> SampleSource:
    return SampleSource(plan_of(datasets={"fake": dataset}, **config).evaluations[0].tasks[0])


def read_all(opened: SampleSource) -> list[tuple[int, Sample]]:
    found: list[tuple[int, Sample]] = []
    try:
        while chunk := opened.read():
            found += chunk
    finally:
        opened.close()
    return found


def test_samples_are_numbered_across_chunks() -> None:
    found = read_all(source(FakeDataset(BATCH_SIZE + 2)))

    assert [index for index, _ in found] == list(range(BATCH_SIZE + 2))


def test_a_limit_reads_no_sample_more() -> None:
    found = read_all(source(Breaking(5, OSError("read too far")), limit=5))

    assert len(found) == 5


def test_a_foreign_error_in_a_data_set_names_it() -> None:
    error = ValueError("could not convert string to float: 'x'")

    with pytest.raises(DatasetError) as caught:
        read_all(source(Breaking(3, error)))

    assert str(caught.value) == (
        "data set 'fake' cannot be read: ValueError: could not convert string to float: 'x'\n"
        "  where: fake_0shot"
    )


def test_our_own_error_of_a_data_set_passes_as_it_is() -> None:
    ours = DatasetError("line 7 is not JSON", where="my.jsonl:7")

    with pytest.raises(DatasetError) as caught:
        read_all(source(Breaking(3, ours)))

    assert caught.value is ours


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id": 5}, "the id 5 of sample 0 is not a text"),
        ({"id": None}, "the id None of sample 0 is not a text"),
        ({"id": ["x"]}, "the id ['x'] of sample 0 is not a text"),
        ({"input": None}, "the input of sample 's1' is neither a text nor a conversation"),
        ({"input": ()}, "the input of sample 's1' is neither a text nor a conversation"),
        (
            {"input": ({"role": "user", "content": "?"},)},
            "the input of sample 's1' is neither a text nor a conversation",
        ),
        (
            {"references": "abc"},
            "the references of sample 's1': 'abc' (str) is not a tuple of texts",
        ),
        (
            {"references": ["a"]},
            "the references of sample 's1': ['a'] (list) is not a tuple of texts",
        ),
        (
            {"references": (None,)},
            "the references of sample 's1': (None,) (tuple) is not a tuple of texts",
        ),
        ({"choices": "ABCD"}, "the choices of sample 's1': 'ABCD' (str) is not a tuple of texts"),
        (
            {"choices": ("a", 1)},
            "the choices of sample 's1': ('a', 1) (tuple) is not a tuple of texts",
        ),
        (
            {"choices": ("a", "b"), "answer": True},
            "the answer of sample 's1': True (bool) is not an index of its 2 choices",
        ),
        (
            {"choices": ("a", "b"), "answer": 2},
            "the answer of sample 's1': 2 (int) is not an index of its 2 choices",
        ),
        (
            {"choices": ("a", "b"), "answer": -1},
            "the answer of sample 's1': -1 (int) is not an index of its 2 choices",
        ),
        (
            {"choices": ("a", "b"), "answer": "A"},
            "the answer of sample 's1': 'A' (str) is not an index of its 2 choices",
        ),
        ({"answer": 0}, "the answer of sample 's1': 0 (int) is not an index of its 0 choices"),
        ({"category": 3}, "the category of sample 's1': 3 (int) is not a text or None"),
        ({"metadata": [1]}, "the metadata of sample 's1': [1] (list) is not a mapping"),
    ],
)
def test_a_sample_of_a_plugin_that_is_not_what_it_should_be_is_refused(
    changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        read_all(source(FakeDataset([make_sample(**changes)])))

    assert str(caught.value) == (
        f"{what}, in data set 'fake'\n"
        "  where: fake_0shot\n"
        "  try:   this is a bug in the plugin; tell its author"
    )


def test_what_is_no_sample_at_all_is_refused() -> None:
    class Odd(FakeDataset):
        def samples(self) -> Iterator[Any]:
            yield from super().samples()
            yield "a text"

    with pytest.raises(DatasetError, match="item 2 is no Sample but a str, in data set 'fake'"):
        read_all(source(Odd(2)))


def test_an_example_of_a_plugin_that_is_not_what_it_should_be_is_refused() -> None:
    dataset = FakeDataset([make_sample(references="abc")])
    plan = plan_of(datasets={"fake": dataset}, tasks=[{"dataset": "fake", "shots": 1}])
    evaluation = plan.evaluations[0]

    with pytest.raises(DatasetError) as caught:
        Prompter(evaluation.model, evaluation.tasks[0]).load_pool()

    assert caught.value.what == (
        "the references of sample 's1': 'abc' (str) is not a tuple of texts, "
        "in the few-shot pool of 'fake'"
    )


async def test_one_data_set_that_breaks_does_not_stop_the_other_tasks(tmp_path: Path) -> None:
    good = FakeDataset(name="good")

    outcome = await run_in(tmp_path, datasets={"fake": Breaking(3, OSError("gone")), "good": good})

    assert [error.what for error in outcome.errors] == [
        "data set 'fake' cannot be read: OSError: gone"
    ]
    assert [result.task for result in outcome.summary.results] == ["good_0shot"]


@pytest.mark.parametrize("method", ["size", "fingerprint"])
def test_a_data_set_that_breaks_while_planning_is_named(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("no such bucket")

    dataset = FakeDataset()
    monkeypatch.setattr(dataset, method, broken)

    with pytest.raises(LlmevalError) as caught:
        plan_of(datasets={"fake": dataset})

    assert str(caught.value) == (
        "data set 'fake' cannot be read: OSError: no such bucket\n  where: tasks[0]"
    )


def test_closing_while_another_thread_still_adds_is_safe() -> None:
    for _ in range(20):
        seen = DuplicateFilter()
        started = threading.Event()

        def add(seen: DuplicateFilter = seen, started: threading.Event = started) -> None:
            for first in range(0, 200 * BATCH_SIZE, BATCH_SIZE):
                seen.add(list(range(first, first + BATCH_SIZE)))
                started.set()

        thread = threading.Thread(target=add)
        thread.start()
        started.wait()
        seen.close()
        thread.join()

        assert seen.add([1]) == []
