"""Characters that nobody sees: which they are, and texts without them."""

from __future__ import annotations

import re

_JOINERS = (
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction
    "\u200b-\u200d\u2060-\u2064\ufeff"  # zero-width space and joiners, byte order mark
)
_VARIATIONS = "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
_INVISIBLE = re.compile(f"[{_JOINERS}{_VARIATIONS}]+")
_AT_ENDS = re.compile(rf"^[\s{_JOINERS}]+|[\s{_JOINERS}]+$")


def without_invisible(text: str) -> str:
    """Drop the invisible characters of a text: what is left can be compared as a reader does."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def strip_invisible(text: str) -> str:
    """Drop white space and invisible characters at both ends of a name.

    Those inside stay, because some scripts write with them, and so do variation selectors, which
    belong to the sign before them.
    """
    return text.strip() if text.isascii() else _AT_ENDS.sub("", text)
