"""Tables as lines of text: columns that are wrapped to a width, or records where it is too narrow.

Widths are counted in terminal cells, so that Japanese text, which takes two a character, stays in
its column. Tables are plain strings: a table of thousands of cells costs milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.cli.wrapping import pieces, text_width, wrap

Align = Literal["left", "right"]
Paint = Callable[[str, str], str]
"""Gives a text a style, `bold` or a colour; returns it as it is where styles are off."""


def unpainted(text: str, style: str) -> str:
    """Return the text as it is."""
    return text


_GAP = "  "
_INDENT = "  "
_LEAST_WRAPPED = 16
"""Cells that a column of text keeps; narrower, a table becomes records."""
_LONGEST_WORD = 24
"""Cells of a word that is kept together in a narrowed column, if there is room."""


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

    def grouped_lines(self, width: int, *, paint: Paint = unpainted) -> list[str]:
        """Lay the table out without its first column, whose texts become lines between the rows.

        As `lines`, for a table that is too wide and has the same text in many rows.
        """
        inner = Table(self.columns[1:], [row[1:] for row in self.rows], self.styles)
        widths = inner._natural()
        if sum(widths) + inner._overhead() + len(_INDENT) > width:
            return self.lines(width, paint=paint)
        lines = [_INDENT + line for line in inner._heading(widths, _NO_BOX, paint)]
        above = None
        for index, row in enumerate(self.rows):
            if row[0] != above:
                above = row[0]
                lines.append(paint(above, "bold"))
            cells = [cell.split("\n") for cell in row[1:]]
            style = self.styles.get(index)
            lines += [
                _INDENT + line for line in inner._row(cells, widths, _NO_BOX.body, paint, style)
            ]
        return lines

    def lines(self, width: int, *, paint: Paint = unpainted, is_ascii: bool = False) -> list[str]:
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
        whole_words, broken_words = self._least(widths, _LONGEST_WORD), self._least(widths, 0)
        least = whole_words if sum(whole_words) <= room else broken_words
        if sum(least) > room:
            return None
        while sum(widths) > room:
            at = max(
                (at for at, width in enumerate(widths) if width > least[at]), key=widths.__getitem__
            )
            widths[at] -= 1
        return widths

    def _least(self, widths: list[int], longest_word: int) -> list[int]:
        """How narrow each column may become, if words up to a length are kept together."""
        least = []
        for at, (column, width) in enumerate(zip(self.columns, widths, strict=True)):
            texts = (column.heading, *(row[at] for row in self.rows)) if longest_word else ()
            words = (text_width(piece) for text in texts for piece in pieces(text))
            longest = min(max(words, default=0), longest_word)
            least.append(min(width, max(longest, _LEAST_WRAPPED)) if column.wraps else width)
        return least

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
        """Write each row as its first cell, with the others below it beside their headings.

        Numbers that stand side by side in the table share a line.
        """
        lines: list[str] = []
        for index, row in enumerate(self.rows):
            title = wrap(row[0], width, chops=False)
            lines += [paint(part, self.styles.get(index, "bold")) for part in title]
            texts: list[str] = []
            was_number = False
            for column, cell in list(zip(self.columns, row, strict=True))[1:]:
                heading = " ".join(column.heading.split())
                text = f"{heading}: {cell}" if heading else cell
                is_number = column.align == "right"
                if cell and is_number and was_number:
                    texts[-1] += f" · {text}"
                elif cell:
                    texts.append(text)
                was_number = is_number and bool(texts)
            for text in texts:
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


def _rule(box: tuple[str, str, str, str], widths: list[int]) -> str:
    left, between, right, fill = box
    return left + between.join(fill * width for width in widths) + right


def _aligned(text: str, width: int, align: Align) -> str:
    space = " " * (width - text_width(text))
    return space + text if align == "right" else text + space
