"""Finding samples of a task by how they ended, in time that does not grow with the task."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Ending = Literal["all", "failed", "wrong"]

GRADE = "(value > 0) + (value >= 1)"
"""SQL for a score's grade: 0 for 0 and less, 2 for 1 and more, 1 between; NULL for no value."""

MOST_COUNTED = 10_000
"""Counting ends here, and so does looking for samples that fit: what is not quick is not done."""


def grade(value: float) -> int:
    """Say what `GRADE` says."""
    return int(value > 0) + int(value >= 1)


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """Which samples of a task are wanted.

    Args:
        task_id: the task's row.
        ending: all, those that failed, or those with a wrong score.
        wrong_grades: the grades that are wrong, by metric.
        category: only samples of this category; None for all.
    """

    task_id: int
    ending: Ending = "all"
    wrong_grades: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A number of samples; there are more of them if `is_least`."""

    n: int
    is_least: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Places of samples that fit, in order, and the last one looked at if anything is left."""

    indices: tuple[int, ...]
    reached: int | None


class SampleFinder:
    """Looks samples up over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def stretch(
        self, query: SampleQuery, *, start: int, limit: int, backwards: bool = False
    ) -> Stretch:
        """Find the samples that fit and are nearest to a place, going on from it.

        Args:
            query: which samples.
            start: the first place to look at.
            limit: most samples to find.
            backwards: towards the first sample; the answer is in order all the same.
        """
        candidates, values = _candidates(query, backwards=backwards)
        test = _test(query)
        most = MOST_COUNTED if test else limit + 1
        found = self._connection.execute(
            f"SELECT idx, {test or '1'} FROM ({candidates}) AS candidate",  # noqa: S608  all ours
            {**values, "start": start, "most": most},
        )
        indices: list[int] = []
        reached = None
        for n_seen, (index, fits) in enumerate(found, start=1):
            if fits and len(indices) == limit:
                break  # one more fits: something is left
            if fits:
                indices.append(index)
            reached = index
            if n_seen == most:
                break
        else:
            reached = None
        return Stretch(tuple(sorted(indices)), reached)

    def count(self, query: SampleQuery) -> Count:
        """Count the samples that fit, up to about `MOST_COUNTED`."""
        candidates, values = _candidates(query, backwards=False)
        n, n_seen = self._connection.execute(
            f"SELECT coalesce(sum({_test(query) or '1'}), 0), count(*)"  # noqa: S608  all ours
            f" FROM ({candidates}) AS candidate",
            {**values, "start": 0, "most": MOST_COUNTED},
        ).fetchone()
        return Count(n, is_least=n_seen == MOST_COUNTED)

    def categories(self, task_id: int) -> list[str]:
        """Name the categories of a task, sorted; jumps through the index."""
        names: list[str] = []
        while True:
            (name,) = self._connection.execute(
                "SELECT min(category) FROM samples WHERE task = ? AND category > ?",
                (task_id, names[-1] if names else ""),
            ).fetchone()
            if name is None:
                return names
            names.append(name)

    def with_id(self, task_id: int, text: str, *, limit: int) -> tuple[int, ...]:
        """Find samples whose id is or begins with a text, in the order of their ids."""
        found = self._connection.execute(
            "SELECT idx FROM samples WHERE task = ? AND sample_id BETWEEN ? AND ?"
            " ORDER BY sample_id LIMIT ?",
            (task_id, text, f"{text}\U0010ffff", limit),
        )
        return tuple(index for (index,) in found)


def _candidates(query: SampleQuery, *, backwards: bool) -> tuple[str, dict[str, Any]]:
    """Make the query that walks through one index, in order, and no further than it must.

    Returns it with the values of its parameters, but for `start` and `most`.
    """
    values: dict[str, Any] = {"task": query.task_id, "category": query.category}
    direction = "DESC" if backwards else "ASC"
    order = f"idx {'<=' if backwards else '>='} :start ORDER BY idx {direction} LIMIT :most"
    if query.ending == "failed":
        # SQLite would rather walk the table: it does not know how few of its rows failed.
        rows = "samples INDEXED BY failed_samples WHERE failure_kind IS NOT NULL"
    elif query.ending == "all":
        rows = f"samples WHERE {'category = :category' if query.category is not None else '1'}"
    else:
        walks = ["SELECT NULL AS idx WHERE 0"]
        for number, (metric, grades) in enumerate(query.wrong_grades.items()):
            values[f"metric{number}"] = metric
            walks += [
                f"SELECT * FROM (SELECT idx FROM scores INDEXED BY scores_by_grade"  # noqa: S608
                f" WHERE task = :task AND metric = :metric{number} AND {GRADE} = {one} AND {order})"
                for one in grades
            ]
        return f"{' UNION '.join(walks)} ORDER BY idx {direction} LIMIT :most", values
    return f"SELECT idx FROM {rows} AND task = :task AND {order}", values  # noqa: S608  all ours


def _test(query: SampleQuery) -> str:
    """Make the condition on a candidate that its index does not answer; empty if there is none."""
    if query.category is None or query.ending == "all":
        return ""
    return (
        "(SELECT s.category IS :category FROM samples AS s"
        " WHERE s.task = :task AND s.idx = candidate.idx)"
    )
