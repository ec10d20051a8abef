"""Text broken into lines by the terminal cells it takes: Japanese characters take two."""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len, chop_cells

_WIDE = r"\u1100-\u11ff\u2e80-\ufaff\ufe30-\uffef"
_PIECES = re.compile(rf"\s+|[{_WIDE}][、。，．！？）」』】〉》・ーっゃゅょッャュョ]*|[^\s{_WIDE}]+")
"""What stays on one line: words, and each character of scripts that need no spaces, with what may
not begin a line."""


def wrap(text: str, width: int, *, chops: bool = True) -> list[str]:
    """Break a text into lines of at most so many cells; at spaces, and between wide characters.

    Args:
        text: may have several lines.
        width: cells of a line.
        chops: whether a longer word is broken too; else it sticks out and can be copied.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        lines += [line] if _width(line) <= width else _wrapped(line, max(width, 2), chops=chops)
    return lines


def _wrapped(line: str, width: int, *, chops: bool) -> list[str]:
    lines: list[str] = []
    current = ""
    for piece in pieces(line):
        if piece.isspace():
            current += piece if current or not lines else ""
        elif _width(current + piece) <= width:
            current += piece
        else:
            if current.strip():
                lines.append(current.rstrip())
            *whole, current = chop_cells(piece, width) if chops else [piece]
            lines += whole
    return [*lines, current.rstrip()]


def pieces(text: str) -> list[str]:
    """Split a text into what stays on one line each, and the spaces between."""
    return _PIECES.findall(text)


def text_width(text: str) -> int:
    """Count the terminal cells of the longest line of a text."""
    return max(map(_width, text.split("\n")))


@lru_cache(maxsize=4096)
def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
