"""Which language a reader gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval_core.support import choose_language

LANGUAGES = ("en", "ja", "pt-br", "pt")


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA", "ja"),
        ("de", "en"),
        ("de, ja;q=0.5", "ja"),
        ("en;q=0.5, ja;q=0.8", "ja"),
        ("en;q=0.5,ja;q=0.5", "en"),
        ("ja;q=0.5,en;q=0.5", "ja"),
        ("pt-BR", "pt-br"),
        ("pt-PT", "pt"),
        ("ja;q=0", "en"),
        ("en;q=0, ja;q=0.1", "ja"),
        ("*", "en"),
        ("de, *;q=0.5, ja;q=0.1", "en"),
        ("en;q=0, *", "ja"),
        ("ja;q=nan", "en"),
        ("ja;q=-1, en;q=0.1", "en"),
        ("ja;level=1", "en"),
        (";;,,;q=1,q=1", "en"),
    ],
)
def test_the_header_decides_if_nothing_was_chosen(accepted: str | None, expected: str) -> None:
    assert choose_language(LANGUAGES, accepted=accepted) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("ja", "en"), "ja"),
        ((None, "en"), "en"),
        (("", "ja"), "ja"),
        (("xx", "en"), "en"),
        (("JA-jp",), "ja"),
        (("../../etc/passwd",), "pt"),
        ((), "pt"),
    ],
)
def test_what_the_reader_chose_comes_before_the_header(
    wanted: tuple[str | None, ...], expected: str
) -> None:
    assert choose_language(LANGUAGES, *wanted, accepted="pt") == expected


@given(st.text(max_size=200), st.text(max_size=20))
def test_whatever_is_asked_for_there_is_a_language(accepted: str, wanted: str) -> None:
    assert choose_language(LANGUAGES, wanted, accepted=accepted) in LANGUAGES


def test_a_header_without_end_is_not_read_to_its_end() -> None:
    accepted = "xx," * 1_000_000 + "ja"

    assert choose_language(LANGUAGES, accepted=accepted) == "en"
