"""Characters that nobody sees."""

from __future__ import annotations

import pytest

from llmeval_core.invisible_characters import strip_invisible, without_invisible


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        (" 東京 ", " 東京 "),
        ("\ufeffA\u200b", "A"),
        ("\u202eA\u202c", "A"),
        ("co\u00adop", "coop"),
        ("葛\U000e0100城", "葛城"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_invisible_characters_are_dropped(text: str, expected: str) -> None:
    assert without_invisible(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" name\t", "name"),
        ("\ufeff name\u200b ", "name"),
        ("\u3000問題\u200f\u00a0", "問題"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\u200b \ufeff", ""),
    ],
)
def test_a_name_loses_them_at_its_ends_only(text: str, expected: str) -> None:
    assert strip_invisible(text) == expected
