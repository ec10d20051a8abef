"""Finding samples of a task by how they ended, in time that does not grow with the task."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from llmeval_core.records import Outcome

SampleFilter = Literal["all", "failed", "wrong"]

MOST_COUNTED = 10_000
"""Counting ends here, and so does looking for samples that fit: what is not quick is not done."""


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """Which samples of a task are wanted.

    Args:
        task_id: the task's row.
        ending: all, those that failed, or those with a wrong score.
        wrong_grades: the grades that are wrong (see `scores.grades`), by the metric's place.
        category: only samples of this category; None for all.
        outcome: only samples that ended so; None for all.
    """

    task_id: int
    ending: SampleFilter = "all"
    wrong_buckets: Mapping[int, str] = field(default_factory=dict)
    category: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A number of samples; there are more of them if `is_lower_bound`."""

    n: int
    is_lower_bound: bool = False


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Places of samples that fit, in order, and the last one looked at if anything is left."""

    indices: tuple[int, ...]
    reached: int | None


class SampleIndex:
    """Looks samples up over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def stretch(
        self, query: IndexQuery, *, start: int, limit: int, backwards: bool = False
    ) -> IndexPage:
        """Find the samples that fit and are nearest to a place, going on from it.

        Args:
            query: which samples.
            start: the first place to look at.
            limit: most samples to find.
            backwards: towards the first sample; the answer is in order all the same.
        """
        most = MOST_COUNTED if _tests(query) else limit + 1
        candidates = self._candidates(query, start=start, most=most, backwards=backwards)
        found = heapq.merge(*candidates, reverse=backwards)
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
        return IndexPage(tuple(sorted(indices)), reached)

    def count(self, query: IndexQuery) -> BoundedCount:
        """Count the samples that fit, up to about `MOST_COUNTED`."""
        candidates = self._candidates(query, start=0, most=MOST_COUNTED, backwards=False)
        n = n_seen = 0
        for _, fits in itertools.islice(itertools.chain(*candidates), MOST_COUNTED):
            n_seen += 1
            n += fits
        return BoundedCount(n, is_lower_bound=n_seen == MOST_COUNTED)

    def categories(self, task_id: int) -> list[str]:
        """Name the categories of a task, sorted; jumps through the index."""
        return self._jump(
            "SELECT min(category) FROM samples WHERE task = ? AND category > ?", task_id
        )

    def with_id(self, task_id: int, text: str, *, limit: int) -> tuple[int, ...]:
        """Find samples whose id is or begins with a text, in the order of their ids."""
        found = self._connection.execute(
            "SELECT idx FROM samples WHERE task = ? AND sample_id BETWEEN ? AND ?"
            " ORDER BY sample_id LIMIT ?",
            (task_id, text, f"{text}\U0010ffff", limit),
        )
        return tuple(index for (index,) in found)

    def _candidates(
        self, query: IndexQuery, *, start: int, most: int, backwards: bool
    ) -> list[Iterator[tuple[int, int]]]:
        """Walk through indexes, each walk in order, and no further than it must.

        A sample is in one walk only, with whether it passes the test that its index leaves open.
        """
        values = {
            "task": query.task_id,
            "category": query.category,
            "outcome": query.outcome,
            "start": start,
            "most": most,
        }
        direction = "DESC" if backwards else "ASC"
        order = f"idx {'<=' if backwards else '>='} :start ORDER BY idx {direction} LIMIT :most"
        select = f"SELECT idx, {_test(query)} FROM"
        if query.ending == "wrong":
            walk = f"{select} sample_scores AS walked"
            walk += f" WHERE task = :task AND grades = :grades AND {order}"
            return [
                self._connection.execute(walk, {**values, "grades": grades})
                for grades in self._grades(query.task_id)
                if _is_wrong(grades, query.wrong_buckets)
            ]
        if query.ending == "failed":
            # SQLite would rather walk the table: it does not know how few of its rows failed.
            walk = f"{select} samples AS walked INDEXED BY failed_samples"
            walk += f" WHERE failure_kind IS NOT NULL AND task = :task AND {order}"
        elif query.outcome not in (None, "answered"):
            walk = f"{select} samples AS walked INDEXED BY samples_by_outcome"
            walk += " WHERE outcome != 'answered' AND outcome = :outcome"
            walk += f" AND task = :task AND {order}"
        else:
            category = "AND category = :category" if query.category is not None else ""
            walk = f"{select} samples AS walked WHERE task = :task {category} AND {order}"
        return [self._connection.execute(walk, values)]

    def _grades(self, task_id: int) -> list[str]:
        """List the grades that samples of a task have; jumps through the index."""
        return self._jump(
            "SELECT min(grades) FROM sample_scores WHERE task = ? AND grades > ?", task_id
        )

    def _jump(self, following: str, task_id: int) -> list[str]:
        """List the texts that stand first in an index of a task, each once, in order."""
        met: list[str] = []
        while True:
            (text,) = self._connection.execute(
                following, (task_id, met[-1] if met else "")
            ).fetchone()
            if text is None:
                return met
            met.append(text)


def _tests(query: IndexQuery) -> tuple[str, ...]:
    """Name the columns of a sample that have to be looked at, because no index knows them."""
    unfiltered = query.ending == "all"
    by_outcome = unfiltered and query.outcome not in (None, "answered")
    tests = []
    if query.category is not None and (by_outcome or not unfiltered):
        tests.append("category")
    if query.outcome is not None and not by_outcome:
        tests.append("outcome")
    return tuple(tests)


def _test(query: IndexQuery) -> str:
    """Write the test of a sample that was walked to; 1 if nothing is left to test."""
    tests = " AND ".join(f"s.{column} IS :{column}" for column in _tests(query))
    if not tests:
        return "1"
    sample = "FROM samples AS s WHERE s.task = :task AND s.idx = walked.idx"
    return f"(SELECT {tests} {sample})"


def _is_wrong(grades: str, wrong_buckets: Mapping[int, str]) -> bool:
    return any(grades[position] in wrong for position, wrong in wrong_buckets.items())
