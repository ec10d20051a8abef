"""Names and keys."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.naming import (
    NAME_PATTERN,
    Json,
    did_you_mean,
    did_you_mean_key,
    fingerprint,
    metric_key,
    split_model_name,
    split_reference,
    task_key,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_task_is_called_by_its_data_set_and_shots() -> None:
    assert task_key("aio", 4) == "aio_4shot"


def test_a_metric_is_called_by_its_task_and_a_category_follows_a_slash() -> None:
    assert metric_key("aio_0shot", "accuracy") == "aio_0shot_accuracy"
    assert metric_key("aio_0shot", "accuracy", "history") == "aio_0shot_accuracy/history"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("openai/gpt-4o-mini", ("openai", "gpt-4o-mini")),
        ("vllm/org/model", ("vllm", "org/model")),
        ("gpt-4o-mini", ("", "")),
    ],
)
def test_a_model_name_is_split_at_its_first_slash(name: str, parts: tuple[str, str]) -> None:
    assert split_model_name(name) == parts


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("jsonl", ("jsonl", None)),
        ("jsonl:my.jsonl", ("jsonl", "my.jsonl")),
        ("jsonl:c:/my.jsonl", ("jsonl", "c:/my.jsonl")),
        ("jsonl:", ("jsonl", "")),
    ],
)
def test_a_reference_is_split_at_its_first_colon(
    reference: str, parts: tuple[str, str | None]
) -> None:
    assert split_reference(reference) == parts


@pytest.mark.parametrize(("name", "good"), [("aio-2", True), ("JGLUE質問", True), ("a b", False)])
def test_a_name_has_no_space(name: str, good: bool) -> None:
    assert bool(NAME_PATTERN.fullmatch(name)) == good


def test_the_nearest_name_is_offered_and_only_if_it_is_near() -> None:
    known = ["exact_match", "contains", "char_f1"]

    assert did_you_mean("exact_macth", known) == "did you mean 'exact_match'?"
    assert did_you_mean("zzz", known) is None
    assert did_you_mean("anything", []) is None


def test_a_fingerprint_is_blake2b_over_canonical_json() -> None:
    text = '{"a":[1,null,"é"],"b":true}'

    expected = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    assert fingerprint({"b": True, "a": [1, None, "é"]}) == expected
    assert len(expected) == 32


def test_half_a_surrogate_pair_has_a_fingerprint_too() -> None:
    assert fingerprint("\ud83d") != fingerprint("\ud83e")


@given(JSON, JSON)
def test_fingerprints_are_equal_exactly_if_the_values_are(one: Json, other: Json) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: Json) -> Json:
    """Put the keys of every mapping in order; `repr` then tells 1 from 1.0 and from True."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_sorted(item) for item in value]
    return value


def test_a_key_is_also_meant_by_its_beginning() -> None:
    known = ["aio_0shot_exact", "aio_0shot", "aio_4shot"]

    assert did_you_mean_key("aio", known) == "did you mean 'aio_0shot'?"
    assert did_you_mean_key("aio_4sho", known) == "did you mean 'aio_4shot'?"
    assert did_you_mean_key("xyz", known) is None
