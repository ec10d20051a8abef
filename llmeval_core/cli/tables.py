"""Tables as lines of text: columns that are wrapped to a width, or records where it is too narrow.

Widths are counted in terminal cells, so that Japanese text, which takes two a character, stays in
its column. Tables are plain strings: a table of thousands of cells costs milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, chop_cells

Align = Literal["left", "right"]
Paint = Callable[[str, str], str]
"""Gives a text a style, `bold` or a colour; returns it as it is where styles are off."""

_GAP = "  "
_LEAST_WRAPPED = 12
"""Cells that a column of text keeps; narrower, a table becomes records."""
_LONGEST_WORD = 24
"""Cells of a word that are kept together if a column is narrowed."""
_WIDE = r"\u1100-\u11ff\u2e80-\ufaff\ufe30-\uffef"
_PIECES = re.compile(rf"\s+|[{_WIDE}][、。，．！？）」』】〉》・ーっゃゅょッャュョ]*|[^\s{_WIDE}]+")
"""What stays on one line: words, and each character of scripts that need no spaces, with what may
not begin a line."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        heading: may have several lines.
        align: where texts stand in their column.
        wraps: whether long texts are broken into lines; names and numbers are not.
    """

    heading: str = ""
    align: Align = "left"
    wraps: bool = False


@dataclass(slots=True)
class Table:
    """A table; texts in it must not steer the terminal, see `printable.shown`.

    Args:
        columns: from left to right.
        rows: a text for each column; may have several lines.
        styles: by row number, the style of a row that has one.
        is_boxed: whether lines are drawn around cells.
    """

    columns: Sequence[Column]
    rows: list[Sequence[str]] = field(default_factory=list)
    styles: dict[int, str] = field(default_factory=dict)
    is_boxed: bool = False

    def add(self, *cells: str, style: str | None = None) -> None:
        """Add a row."""
        if style is not None:
            self.styles[len(self.rows)] = style
        self.rows.append(cells)

    def width(self) -> int:
        """Count the cells of the table with nothing wrapped."""
        return sum(self._natural()) + self._overhead()

    def lines(
        self, width: int, *, paint: Paint = lambda text, style: text, is_ascii: bool = False
    ) -> list[str]:
        """Lay the table out; as records if it cannot be that narrow.

        Args:
            width: cells of the terminal.
            paint: gives a text a style.
            is_ascii: whether boxes are drawn with ASCII characters.
        """
        widths = self._fitted(width - self._overhead())
        if widths is None:
            return self._records(width, paint)
        box = (_ASCII_BOX if is_ascii else _BOX) if self.is_boxed else _NO_BOX
        lines = []
        if box.top:
            lines.append(_rule(box.top, widths))
        if any(column.heading for column in self.columns):
            lines += self._heading(widths, box, paint)
            if box.below_head:
                lines.append(_rule(box.below_head, widths))
        for index, row in enumerate(self.rows):
            cells = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
            lines += self._row(cells, widths, box.body, paint, self.styles.get(index))
        if box.bottom:
            lines.append(_rule(box.bottom, widths))
        return lines

    def _natural(self) -> list[int]:
        """How wide each column is with nothing wrapped."""
        return [
            max(
                (text_width(text) for text in (column.heading, *(row[at] for row in self.rows))),
                default=0,
            )
            for at, column in enumerate(self.columns)
        ]

    def _overhead(self) -> int:
        """Cells between and around columns."""
        n = len(self.columns)
        return 3 * n + 1 if self.is_boxed else len(_GAP) * (n - 1)

    def _fitted(self, room: int) -> list[int] | None:
        """Narrow the widest columns of text until all fit; None if they cannot."""
        widths = self._natural()
        if sum(widths) <= room:
            return widths
        least = [
            self._least(at, width) if column.wraps else width
            for at, (column, width) in enumerate(zip(self.columns, widths, strict=True))
        ]
        if sum(least) > room:
            return None
        while sum(widths) > room:
            at = max(
                (at for at, width in enumerate(widths) if width > least[at]), key=widths.__getitem__
            )
            widths[at] -= 1
        return widths

    def _least(self, at: int, width: int) -> int:
        """How narrow a column of text may become."""
        texts = [self.columns[at].heading, *(row[at] for row in self.rows)]
        words = (cell_len(piece) for text in texts for piece in _PIECES.findall(text))
        longest = min(max(words, default=0), _LONGEST_WORD)
        return min(width, max(longest, _LEAST_WRAPPED))

    def _heading(self, widths: list[int], box: _BoxStyle, paint: Paint) -> list[str]:
        """Lay out the headings, each ending on the last line."""
        broken = [
            wrap(column.heading, width) for column, width in zip(self.columns, widths, strict=True)
        ]
        most = max(map(len, broken))
        return self._row(
            [[""] * (most - len(cell)) + cell for cell in broken], widths, box.head, paint, "bold"
        )

    def _row(
        self,
        cells: list[list[str]],
        widths: list[int],
        box: tuple[str, str, str],
        paint: Paint,
        style: str | None,
    ) -> list[str]:
        """Lay out the lines of cells that are broken into lines."""
        left, between, right = box
        lines = []
        for at in range(max(map(len, cells))):
            parts = [
                _aligned(cell[at] if at < len(cell) else "", width, column.align)
                for cell, width, column in zip(cells, widths, self.columns, strict=True)
            ]
            if not right:
                parts[-1] = parts[-1].rstrip()
            if style is not None:
                parts = [paint(part, style) for part in parts]
            line = left + between.join(parts) + right
            lines.append(line if right else line.rstrip())
        return lines

    def _records(self, width: int, paint: Paint) -> list[str]:
        """Write each row as its first cell, with the others below it beside their headings."""
        lines: list[str] = []
        for index, row in enumerate(self.rows):
            title = wrap(row[0], width, chops=False)
            lines += [paint(part, self.styles.get(index, "bold")) for part in title]
            for column, cell in list(zip(self.columns, row, strict=True))[1:]:
                if cell:
                    heading = " ".join(column.heading.split())
                    text = f"{heading}: {cell}" if heading else cell
                    first, *others = wrap(text, width - 4, chops=False)
                    lines += ["  " + first, *("    " + other for other in others)]
        return lines


@dataclass(frozen=True, slots=True)
class _BoxStyle:
    """The characters of a table's lines: left, between and right of cells; of rules with fill."""

    head: tuple[str, str, str]
    body: tuple[str, str, str]
    top: tuple[str, str, str, str] | None = None
    below_head: tuple[str, str, str, str] | None = None
    bottom: tuple[str, str, str, str] | None = None


_NO_BOX = _BoxStyle(("", _GAP, ""), ("", _GAP, ""))
_BOX = _BoxStyle(
    head=("┃ ", " ┃ ", " ┃"),
    body=("│ ", " │ ", " │"),
    top=("┏━", "━┳━", "━┓", "━"),
    below_head=("┡━", "━╇━", "━┩", "━"),
    bottom=("└─", "─┴─", "─┘", "─"),
)
_ASCII_BOX = _BoxStyle(
    head=("| ", " | ", " |"),
    body=("| ", " | ", " |"),
    top=("+-", "-+-", "-+", "-"),
    below_head=("|-", "-+-", "-|", "-"),
    bottom=("+-", "-+-", "-+", "-"),
)


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
    for piece in _PIECES.findall(line):
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


def _rule(box: tuple[str, str, str, str], widths: list[int]) -> str:
    left, between, right, fill = box
    return left + between.join(fill * width for width in widths) + right


def _aligned(text: str, width: int, align: Align) -> str:
    space = " " * (width - _width(text))
    return space + text if align == "right" else text + space


def text_width(text: str) -> int:
    """Count the terminal cells of the longest line of a text."""
    return max(map(_width, text.split("\n")))


@lru_cache(maxsize=4096)
def _width(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)
