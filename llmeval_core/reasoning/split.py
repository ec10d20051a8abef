"""A text split into reasoning and answer, and markers around an answer taken off."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANSWER_HEADS = re.compile(
    r"\s*(?:<\|START_RESPONSE\|>|<\|START_TEXT\|>|<\|begin_of_solution\|>|\[BEGIN FINAL RESPONSE\])"
)
_ANSWER_TAILS = re.compile(
    r"(?:(?:<\|END_RESPONSE\|>|<\|END_TEXT\|>|<\|end_of_solution\|>|\[END FINAL RESPONSE\]"
    r"|<\|end\|>|<\|return\|>)\s*){1,3}\Z"
)


@dataclass(frozen=True, slots=True)
class ReasoningSplit:
    """A text split into reasoning and answer.

    Args:
        answer: what is left without it; empty if nothing is.
        reasoning: the thoughts, without the tags at their ends.
        is_open: whether the last thought never ended, so that no answer follows it.
    """

    answer: str
    reasoning: str
    is_open: bool = False


def strip_answer_markers(text: str, *, is_last: bool = True) -> str:
    """Take off the markers around an answer; the indentation of its first line stays.

    Args:
        text: the answer.
        is_last: whether nothing stands after it; else the white space at its end goes too.
    """
    head = _ANSWER_HEADS.match(text)
    if head is not None:
        text = text[head.end() :]
    text = _ANSWER_TAILS.sub("", text)
    left = text.lstrip()
    space = text[: len(text) - len(left)]
    text = space.rpartition("\n")[2] + left if "\n" in space else left
    return text if is_last and left else text.rstrip()
