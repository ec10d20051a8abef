"""Keys that MLflow accepts and that stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_mlflow_tracker.names import MAX_KEY, file_name, legal_key, short_value
from mlflow.utils.validation import _validate_metric_name, _validate_tag_name

_NASTY = st.text(alphabet=st.sampled_from("aé\u0301/.-_:@%( ・\u3000😀0f日`'\"\\\n"), max_size=12)


@pytest.mark.parametrize(
    "name", ["aio_0shot_accuracy", "日本語_4shot_char_f1", "a_0shot_f1/歴史", "a b:c-d.e"]
)
def test_a_legal_name_stays_as_it_is(name: str) -> None:
    assert legal_key(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "a@b",
        "pass@1(5)",
        "か・き",
        "😀",
        "a//b",
        "/a",
        "a/",
        "..",
        ".",
        "..x",
        "a/../b",
        "a%b",
        "a'b",
        "",
        "x" * 251,
        "a\u3000b",
        "e\u0301",
        "a\nb",
        "\ud800",
    ],
)
def test_an_illegal_name_becomes_a_legal_one(name: str) -> None:
    key = legal_key(name)

    assert key != name
    assert len(key) <= MAX_KEY
    _assert_mlflow_accepts(key)


@given(_NASTY)
def test_mlflow_accepts_every_key(name: str) -> None:
    _assert_mlflow_accepts(legal_key(name))


@given(_NASTY, _NASTY)
def test_two_names_never_share_a_key(one: str, other: str) -> None:
    assert (legal_key(one) == legal_key(other)) == (one == other)


def test_a_name_that_looks_like_a_made_key_does_not_collide_with_it() -> None:
    made = legal_key("a@b")

    assert legal_key(made) != made


def test_long_names_that_differ_at_the_end_stay_apart() -> None:
    assert legal_key("x" * 300 + "a") != legal_key("x" * 300 + "b")


def test_a_file_name_is_flat_and_short() -> None:
    assert file_name("aio_0shot", ".json") == "aio_0shot.json"
    assert "/" not in file_name("../../etc/passwd", ".json")
    assert len(file_name("日" * 250, ".json").encode()) <= 255
    assert file_name("a:b", ".json") != file_name("a_b", ".json")


def test_a_long_value_is_cut_visibly_and_stays_unique() -> None:
    (one, digest), (other, _) = (short_value("x" * 7000 + end, 6000) for end in "ab")

    assert len(one) == 6000
    assert one.endswith(f"…-{digest}")
    assert one != other
    assert short_value("short", 6000) == ("short", None)
    assert "\x00" not in short_value("a\x00b", 6000)[0]


def _assert_mlflow_accepts(key: str) -> None:
    _validate_metric_name(key)  # type: ignore[no-untyped-call]  # mlflow has few types
    _validate_tag_name(key)  # type: ignore[no-untyped-call]
