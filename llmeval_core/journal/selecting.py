"""Reading rows by name: groups of columns in a SELECT, each of which becomes a typed record."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from llmeval_core.journal.row_mapping import Row

T = TypeVar("T")


def named_rows(
    connection: sqlite3.Connection,
    query: str,
    values: Sequence[Any] | Mapping[str, Any] = (),  # Any: what SQLite takes
) -> sqlite3.Cursor:
    """Execute a query whose rows are read by the names of their columns: `row["id"]`.

    Finding a column takes time for each that stands before it: for rows of many columns that are
    many there is `ColumnGroups`.
    """
    cursor = connection.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor.execute(query, values)


def read_records(
    connection: sqlite3.Connection,
    record: Callable[..., T],
    query: str,
    values: Sequence[Any] | Mapping[str, Any] = (),  # Any: what SQLite takes
) -> list[T]:
    """Execute a query and make a record of each row; its arguments are called as the columns."""
    return [record(**dict(row)) for row in named_rows(connection, query, values)]


class ColumnGroups:
    """Groups of columns that are selected together.

    Args:
        groups: for each the table that has it, and the record: a NamedTuple class whose fields
            are called as the columns.

    Attributes:
        columns: what stands after SELECT.
    """

    def __init__(self, *groups: tuple[str, type[NamedTuple]]) -> None:
        self.columns = ", ".join(
            f"{table}.{name}" for table, record in groups for name in record._fields
        )
        self._records = []
        start = 0
        for _, record in groups:
            end = start + len(record._fields)
            # What `_make` does, without its check; a third of its time.
            make: Callable[[Row], Any] = functools.partial(tuple.__new__, record)
            self._records.append((make, slice(start, end)))
            start = end

    def records(self, row: Row) -> list[Any]:
        """Make the records of a row, in the order of the groups; Any: each of its own class."""
        return [make(row[part]) for make, part in self._records]
