"""Rows and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from llmeval_datasets.rows.fields import Row


@dataclass(frozen=True, slots=True)
class InvalidRow:
    """A row that cannot be read, and why."""

    why: str
    hint: str | None = None


NumberedRow = tuple[int | str, Row | InvalidRow]
"""The row's place in its file as a person counts (a line from 1), and the row."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """Where rows come from.

    Args:
        label: what errors call it, such as the file's path.
        rows: streams the rows; may be called again.
        category: the category of all its samples; None if the fields say.
        is_table: whether all its rows have the same columns.
        advice: what to try if a field is not there; None for the usual.
        unit: what the numbers count, such as `row`; None for lines.
        folder: what paths of images are relative to; None if there is none.
    """

    label: str
    rows: Callable[[], Iterable[NumberedRow]]
    category: str | None = None
    is_table: bool = False
    unit: str | None = None
    advice: str | None = None
    folder: Path | None = None

    def place(self, number: int | str) -> str:
        """Name a row in errors."""
        if self.unit is None:
            return f"{self.label}:{number}"
        return f"{self.label}, {self.unit} {number}"
