"""Texts of strangers in a judge's prompt: fenced, so that they cannot pass for instructions.

A fence is a line with a code. The code comes from all the texts that are fenced in a prompt, so
that who writes one of them cannot know it; and it stands in none of them, which is looked up.
Nothing else is done to a text but that characters are dropped which only a machine sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmeval_core.hooks import fingerprint

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but for the tab and the line feed
    "\u202a-\u202e\u2066-\u2069"  # which turn the direction of text
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef"  # tags and variations, which can hide a text
    "\ud800-\udfff]"  # halves of characters, which no server takes
)
_N_DIGITS = 12


@dataclass(frozen=True, slots=True)
class FencedText:
    """A text of which a judge is told.

    Args:
        title: what it is, in capitals.
        text: the text; may be empty.
    """

    title: str
    text: str


def visible(text: str) -> str:
    """Drop what only a machine sees, and write every end of line in one way."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def fence(texts: Sequence[FencedText]) -> tuple[str, str]:
    """Put texts between fences that none of them can close.

    Returns:
        The texts as one, and the code of the fences, 12 hex digits.
    """
    shown = [FencedText(one.title, visible(one.text)) for one in texts]
    code = _code([one.text for one in shown])
    blocks = [
        f"===== {one.title} {code} =====\n{one.text}\n===== END OF {one.title} {code} ====="
        for one in shown
    ]
    return "\n\n".join(blocks), code


def _code(texts: Sequence[str]) -> str:
    """Find a code that stands in none of the texts; the same for the same texts."""
    trial = 0
    while True:
        code = fingerprint([trial, *texts])[:_N_DIGITS]
        if not any(code in text.casefold() for text in texts):
            return code
        trial += 1
