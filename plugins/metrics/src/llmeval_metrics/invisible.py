"""Characters that nobody sees: they take part in no comparison."""

from __future__ import annotations

import re

_RANGES = (
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction
    "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
    "\u200b-\u200d\u2060-\u2064\ufeff"  # zero-width space and joiners, byte order mark
)
_INVISIBLE = re.compile(f"[{_RANGES}]+")


def visible(text: str) -> str:
    """Drop the invisible characters of a text."""
    return text if text.isascii() else _INVISIBLE.sub("", text)
