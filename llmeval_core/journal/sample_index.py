"""Finding samples of a task by how they ended, in time that does not grow with the task."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from llmeval_core.journal.scores import NOT_SCORED
from llmeval_core.records import Outcome

MOST_COUNTED = 10_000
"""Counting ends here, and so does looking for samples that fit: what is not quick is not done."""


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """Which samples of a task are wanted: all of them if neither `failed` nor `wrong` is set.

    Args:
        task_id: the task's row.
        failed: those that failed, or lack the score of a metric.
        wrong: those with a wrong score; together with `failed` the samples of both kinds.
        wrong_buckets: which buckets are wrong (see `scores.score_buckets`), by the metric's place.
        category: only samples of this category; None for all.
        outcomes: only samples with one of these outcomes; empty for all.
    """

    task_id: int
    failed: bool = False
    wrong: bool = False
    wrong_buckets: Mapping[int, str] = field(default_factory=dict)
    category: str | None = None
    outcomes: frozenset[Outcome] = frozenset()


@dataclass(frozen=True, slots=True)
class BoundedCount:
    """A number of samples; there may be more of them if `is_lower_bound`."""

    n: int
    is_lower_bound: bool = False


@dataclass(frozen=True, slots=True)
class IndexPage:
    """Places of samples that fit, in order.

    Args:
        indices: the places.
        cursor: the last place that was looked at; None if nothing is left beyond it.
    """

    indices: tuple[int, ...]
    cursor: int | None


class SampleIndex:
    """Looks samples up over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def page(
        self, query: IndexQuery, *, start: int, limit: int, backwards: bool = False
    ) -> IndexPage:
        """Find the samples that fit and are nearest to a place, going on from it.

        Args:
            query: which samples.
            start: the first place to look at.
            limit: most samples to find.
            backwards: towards the first sample; the answer is in order all the same.
        """
        walks = self._walks(query)
        most = MOST_COUNTED if any(walk.tested for walk in walks) else limit + 1
        rows = [
            self._walk(walk, query, start=start, most=most, backwards=backwards) for walk in walks
        ]
        found = heapq.merge(*rows, reverse=backwards)
        indices: list[int] = []
        cursor = None
        for n_seen, (index, fits) in enumerate(found, start=1):
            if fits and len(indices) == limit:
                break  # one more fits: something is left
            if fits:
                indices.append(index)
            cursor = index
            if n_seen == most:
                break
        else:
            cursor = None
        return IndexPage(tuple(sorted(indices)), cursor)

    def count(self, query: IndexQuery) -> BoundedCount:
        """Count the samples that fit, up to about `MOST_COUNTED`."""
        rows = [
            self._walk(walk, query, start=0, most=MOST_COUNTED, backwards=False)
            for walk in self._walks(query)
        ]
        n = n_seen = 0
        for _, fits in itertools.islice(itertools.chain(*rows), MOST_COUNTED):
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

    def _walks(self, query: IndexQuery) -> list[_Walk]:
        """Choose the indexes that lead to the samples; each sample is met in one of them."""
        by_category, by_outcome = query.category is not None, bool(query.outcomes)
        tests = tuple(
            name
            for name, is_asked in (("category", by_category), ("outcome", by_outcome))
            if is_asked
        )
        walks = []
        if query.wrong:
            walks += [
                _Walk("sample_scores AS walked", "grades = :text", tests, buckets)
                for buckets in self._buckets(query.task_id)
                if _is_wrong(buckets, query)
                and not (query.failed and NOT_SCORED in buckets)  # met among those that failed
            ]
        if query.failed:
            # SQLite would rather walk the table: it does not know how few of its rows failed.
            source = "samples AS walked INDEXED BY failed_samples"
            walks.append(_Walk(source, "failure_kind IS NOT NULL", tests))
        if query.wrong or query.failed:
            return walks
        if by_outcome and "answered" not in query.outcomes:
            source = "samples AS walked INDEXED BY samples_by_outcome"
            ended_so = "outcome != 'answered' AND outcome = :text"
            left = ("category",) if by_category else ()
            return [_Walk(source, ended_so, left, outcome) for outcome in sorted(query.outcomes)]
        if by_category:
            left = ("outcome",) if by_outcome else ()
            return [_Walk("samples AS walked", "category = :category", left)]
        return [_Walk("samples AS walked", "TRUE", tests)]

    def _walk(
        self, walk: _Walk, query: IndexQuery, *, start: int, most: int, backwards: bool
    ) -> Iterator[tuple[int, int]]:
        """Walk through an index, no further than asked; tell of each sample whether it fits."""
        beyond, direction = ("<=", "DESC") if backwards else (">=", "ASC")
        outcomes = {f"outcome_{n}": name for n, name in enumerate(sorted(query.outcomes))}
        tests = {
            "category": "s.category IS :category",
            "outcome": f"s.outcome IN ({', '.join(f':{name}' for name in outcomes)})",
        }
        fits = " AND ".join(tests[column] for column in walk.tested)
        if fits:
            sample = "samples AS s WHERE s.task = :task AND s.idx = walked.idx"
            fits = f"(SELECT {fits} FROM {sample})"  # noqa: S608  words of ours
        return self._connection.execute(
            f"SELECT idx, {fits or 1} FROM {walk.source}"  # noqa: S608  words of ours
            f" WHERE task = :task AND {walk.condition} AND idx {beyond} :start"
            f" ORDER BY idx {direction} LIMIT :most",
            {
                **outcomes,
                "task": query.task_id,
                "category": query.category,
                "text": walk.text,
                "start": start,
                "most": most,
            },
        )

    def _buckets(self, task_id: int) -> list[str]:
        """List the score buckets that samples of a task have; jumps through the index."""
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


class _Walk(NamedTuple):
    """A way through one index.

    Args:
        source: the table, as `walked`, with the index if SQLite would take another.
        condition: what holds for all samples on the way.
        tested: columns of a sample that have to be looked at, because the index does not know
            them.
        text: what the condition compares with, `:text` in it.
    """

    source: str
    condition: str
    tested: tuple[str, ...]
    text: str | None = None


def _is_wrong(buckets: str, query: IndexQuery) -> bool:
    return any(buckets[position] in wrong for position, wrong in query.wrong_buckets.items())
