"""Finds what comes twice among millions, without keeping it all in memory."""

from __future__ import annotations

import sqlite3
import threading

MAX_IN_MEMORY = 10_000
"""So many hashes are kept in a set, about a MiB; more of them in a temporary table."""


class DuplicateFilter:
    """Remembers 64-bit hashes: in a set while they are few, then in a temporary file.

    Two different things that share a hash would be taken for one: for a million the chance is 3
    in 100 million.
    """

    def __init__(self) -> None:
        # A run that ends early closes the table while a thread may still be at it, and SQLite
        # does not survive that.
        self._lock = threading.Lock()
        self._closed = False
        self._in_memory: set[int] = set()
        self._table: sqlite3.Connection | None = None

    def add(self, hashes: list[int]) -> list[int]:
        """Remember up to 999 hashes; return the positions of those that came before."""
        with self._lock:
            if not hashes or self._closed:
                return []
            if self._table is None and len(self._in_memory) + len(hashes) <= MAX_IN_MEMORY:
                return self._add_in_memory(hashes)
            if self._table is None:
                self._table = _new_table()
                self._table.executemany(
                    "INSERT INTO seen VALUES (?)", [(one,) for one in self._in_memory]
                )
                self._in_memory.clear()
            return _add_to_table(self._table, hashes)

    def _add_in_memory(self, hashes: list[int]) -> list[int]:
        seen, repeated = self._in_memory, []
        for position, one in enumerate(hashes):
            if one in seen:
                repeated.append(position)
            seen.add(one)
        return repeated

    def close(self) -> None:
        """Delete the table; nothing is found from then on."""
        with self._lock:
            self._closed = True
            self._in_memory.clear()
            if self._table is not None:
                self._table.close()


def _new_table() -> sqlite3.Connection:
    table = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    table.execute("PRAGMA cache_size=-2048")
    table.execute("PRAGMA journal_mode=MEMORY")
    table.execute("CREATE TABLE seen (hash INTEGER PRIMARY KEY) WITHOUT ROWID")
    return table


def _add_to_table(table: sqlite3.Connection, hashes: list[int]) -> list[int]:
    """Add with few statements, not one a hash: each gives up the interpreter's lock."""
    try:
        _insert(table, hashes)
    except sqlite3.IntegrityError:
        return _add_unknown(table, hashes)
    return []


def _insert(table: sqlite3.Connection, hashes: list[int]) -> None:
    values = ",".join(["(?)"] * len(hashes))
    table.execute(f"INSERT INTO seen VALUES {values}", hashes)  # noqa: S608


def _add_unknown(table: sqlite3.Connection, hashes: list[int]) -> list[int]:
    marks = ",".join("?" * len(hashes))
    known = f"SELECT hash FROM seen WHERE hash IN ({marks})"  # noqa: S608
    seen = {found for (found,) in table.execute(known, hashes)}
    new: list[int] = []
    repeated: list[int] = []
    for position, one in enumerate(hashes):
        if one in seen:
            repeated.append(position)
        else:
            seen.add(one)
            new.append(one)
    if new:
        _insert(table, new)
    return repeated
