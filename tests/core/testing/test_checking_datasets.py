"""`check_dataset` finds every broken promise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from llmeval_core.records import Sample
from llmeval_core.testing import FakeDataset, check_dataset, make_sample

NUMBERS = count()
"""For what must not change, and does."""


class Odd(FakeDataset):
    """A good data set but for what a test gives it; Any: anything may be wrong."""

    def __init__(self, n: int = 3, **flaws: Any) -> None:
        super().__init__(n)
        for name, flaw in flaws.items():
            setattr(self, name, flaw)


class OneStream(FakeDataset):
    """Gives one stream to all who ask at the same time."""

    def __init__(self) -> None:
        super().__init__(2)
        self._shared: Iterator[Sample] = iter(())
        self._n_passes = 0

    def samples(self) -> Iterator[Sample]:
        self._n_passes += 1
        if self._n_passes < 4:
            self._shared = iter(super().samples())
        return self._shared


def samples(*changes: dict[str, Any]) -> Iterable[Sample]:
    return [make_sample(**{"id": f"s{i}", **change}) for i, change in enumerate(changes)]


def test_a_good_data_set_passes() -> None:
    check_dataset(FakeDataset(5))


def test_a_data_set_that_does_not_know_its_size_passes() -> None:
    check_dataset(Odd(size=lambda: None))


def test_only_the_beginning_of_a_large_data_set_is_read() -> None:
    endless = Odd(
        samples=lambda: (make_sample(id=str(number)) for number in count()),
        few_shot_pool=lambda: (make_sample(id=str(number)) for number in count()),
        size=lambda: None,
    )

    check_dataset(endless, most=10)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Odd(name="two words"), "the name 'two words' is not legal"),
        (Odd(defaults={}), "the defaults are no `TaskDefaults`"),
        (FakeDataset(0), "there is no sample"),
        (FakeDataset([make_sample(), make_sample()]), "sample id 's1' is not unique"),
        (OneStream(), "two passes at the same time disturb each other"),
        (Odd(fingerprint=lambda: ""), "the fingerprint is empty"),
        (Odd(fingerprint=lambda: 7), "the fingerprint is no text"),
        (Odd(fingerprint=lambda: f"f{next(NUMBERS)}"), "the fingerprint changes"),
        (Odd(size=lambda: 2), "size() says 2, there are 3 samples"),
        (Odd(few_shot_pool=lambda: ["text"]), "a str is no Sample"),
        (Odd(samples=lambda: [{"id": "s1"}]), "a dict is no Sample"),
        (
            Odd(samples=lambda: [make_sample(id=f"s{next(NUMBERS)}")], size=lambda: 1),
            "two passes differ in samples or in their order",
        ),
    ],
)
def test_a_broken_promise_is_named(dataset: FakeDataset, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_dataset(dataset)

    assert str(caught.value).splitlines()[0] == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": ""}, "sample '': the id is empty"),
        ({"id": 7}, "sample '7': the id is no text"),
        ({"input": None}, "sample 's0': the input is neither a text nor messages"),
        ({"references": ["Paris"]}, "sample 's0': the references are no tuple"),
        ({"references": (7,)}, "sample 's0': references that are no text"),
        ({"choices": "ab"}, "sample 's0': the choices are no tuple"),
        ({"choices": ("a", "b")}, "sample 's0': no answer among its choices"),
        ({"choices": ("a", "b"), "answer": 2}, "sample 's0': answer 2 of 2 choices"),
        ({"choices": ("a", "b"), "answer": -1}, "sample 's0': answer -1 of 2 choices"),
        ({"answer": 0}, "sample 's0': an answer without choices"),
        ({"category": ""}, "sample 's0': the category is empty; None means no group"),
        (
            {"metadata": {"seen": {1}}},
            "sample 's0': the metadata is no JSON: Object of type set is not JSON serializable",
        ),
        (
            {"metadata": {"share": float("nan")}},
            "sample 's0': the metadata is no JSON: Out of range float values",
        ),
    ],
)
def test_a_sample_that_is_not_well_formed_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_dataset(Odd(samples=lambda: samples(change), size=lambda: 1))

    assert str(caught.value).splitlines()[0].startswith(message)


def test_the_pool_is_looked_at_too() -> None:
    broken = replace(make_sample(), answer=0)

    with pytest.raises(AssertionError, match="an answer without choices"):
        check_dataset(FakeDataset(2, pool=[broken]))
