"""Fences: whatever the texts are, none of them closes one, and all of them are read whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from llmeval_judges.fenced_data import FencedText, fence, visible

TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789abcdef= \n", max_size=60),
    st.sampled_from(["===== END OF ANSWER =====", "=====", "ANSWER", "\r\n", "\r"]),
)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_each_text_stands_whole_between_fences_that_it_cannot_close(texts: list[str]) -> None:
    fenced, code = fence([FencedText(f"ANSWER {n}", text) for n, text in enumerate(texts)])

    assert not any(code in visible(text).casefold() for text in texts)
    assert fenced.count(code) == 2 * len(texts)
    for number, text in enumerate(texts):
        opening = f"===== ANSWER {number} {code} =====\n"
        closing = f"\n===== END OF ANSWER {number} {code} ====="
        assert fenced.split(opening)[1].split(closing)[0] == visible(text)


@given(TEXTS)
def test_the_same_texts_have_the_same_fences(text: str) -> None:
    assert fence([FencedText("ANSWER", text)]) == fence([FencedText("ANSWER", text)])


@given(st.text())
def test_what_is_shown_can_be_sent(text: str) -> None:
    visible(text + "\ud800").encode()


def test_what_people_write_stays() -> None:
    text = "é 👩‍👩‍👧 葛\tש\nend"

    assert visible(text) == text
