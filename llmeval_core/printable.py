"""Text that cannot steer a terminal: control characters are written out."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Controls but tab and line feed, marks that change the direction of writing, line separators
# that are no line feed, halves of surrogate pairs, which cannot be written at all.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff"
    "\ufff9-\ufffb]"
)


def shown(text: str) -> str:
    r"""Write control characters as `\x1b`, so that no text can steer the terminal."""
    return _UNPRINTABLE.sub(_escaped, text)


def shown_json(text: str) -> str:
    r"""Write control characters in a JSON document as `\u001b`, which means the same there."""
    return _UNPRINTABLE.sub(_escaped_in_json, text)


def shown_parts(text: str) -> Iterator[tuple[str, bool]]:
    """Split a text into parts to show; True marks a control character that is written out."""
    start = 0
    for match in _UNPRINTABLE.finditer(text):
        if match.start() > start:
            yield text[start : match.start()], False
        yield _escaped(match), True
        start = match.end()
    if start < len(text):
        yield text[start:], False


def _escaped(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def _escaped_in_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def with_count(n: int, noun: str) -> str:
    """Return `1 sample`, `3 samples`; only for nouns whose plural is made with an s."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
