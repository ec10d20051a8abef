"""Does a data set keep its promises?"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable

from llmeval_core.config import TaskDefaults
from llmeval_core.contracts import Dataset
from llmeval_core.naming import NAME_PATTERN
from llmeval_core.records import Message, Sample


def check_dataset(dataset: Dataset, *, most: int = 1000) -> None:
    """Check a data set, reading its first `most` samples three times.

    Raises:
        AssertionError: it breaks a promise of `contracts.Dataset`; the message says which.
    """
    assert NAME_PATTERN.fullmatch(dataset.name), f"the name '{dataset.name}' is not legal"
    assert isinstance(dataset.defaults, TaskDefaults), "the defaults are no `TaskDefaults`"
    first = _read(dataset.samples(), most)
    assert first, "there is no sample"
    ((id_, n_times),) = Counter(sample.id for sample in first).most_common(1)
    assert n_times == 1, f"sample id '{id_}' is not unique"
    assert first == _read(dataset.samples(), most), "two passes differ in samples or in their order"
    _check_passes_at_once(dataset, first)
    _read(dataset.few_shot_pool(), most)
    _check_fingerprint(dataset)
    _check_size(dataset, len(first), most)


def _read(samples: Iterable[Sample], most: int) -> list[Sample]:
    read = []
    for sample in itertools.islice(samples, most):
        _check_sample(sample)
        read.append(sample)
    return read


def _check_passes_at_once(dataset: Dataset, first: list[Sample]) -> None:
    """Read two passes in turn: the engine reads samples and the pool at the same time."""
    one, other = iter(dataset.samples()), iter(dataset.samples())
    for sample, left, right in zip(first, one, other, strict=False):
        assert left == right == sample, "two passes at the same time disturb each other"


def _check_fingerprint(dataset: Dataset) -> None:
    fingerprint = dataset.fingerprint()
    assert isinstance(fingerprint, str), "the fingerprint is no text"
    assert fingerprint, "the fingerprint is empty"
    assert fingerprint == dataset.fingerprint(), "the fingerprint changes"


def _check_size(dataset: Dataset, n_read: int, most: int) -> None:
    size = dataset.size()
    if size is None:
        return
    if n_read < most:
        assert size == n_read, f"size() says {size}, there are {n_read} samples"
    assert size >= n_read, f"size() says {size}, there are {n_read} samples or more"


def _check_sample(sample: Sample) -> None:
    assert isinstance(sample, Sample), f"a {type(sample).__name__} is no Sample"
    where = f"sample '{sample.id}'"
    assert isinstance(sample.id, str), f"{where}: the id is no text"
    assert sample.id, f"{where}: the id is empty"
    assert _is_input(sample.input), f"{where}: the input is neither a text nor messages"
    for name, texts in (("references", sample.references), ("choices", sample.choices)):
        assert isinstance(texts, tuple), f"{where}: the {name} are no tuple"
        assert all(isinstance(text, str) for text in texts), f"{where}: {name} that are no text"
    if sample.choices:
        n = len(sample.choices)
        assert sample.answer is not None, f"{where}: no answer among its choices"
        assert 0 <= sample.answer < n, f"{where}: answer {sample.answer} of {n} choices"
    else:
        assert sample.answer is None, f"{where}: an answer without choices"
    assert sample.category != "", f"{where}: the category is empty; None means no group"
    try:
        json.dumps(dict(sample.metadata), allow_nan=False)
    except (TypeError, ValueError) as err:
        raise AssertionError(f"{where}: the metadata is no JSON: {err}") from err


def _is_input(value: object) -> bool:
    """Whether it is a text, or a conversation of at least one turn."""
    if isinstance(value, tuple):
        return bool(value) and all(isinstance(turn, Message) for turn in value)
    return isinstance(value, str)
