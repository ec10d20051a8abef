"""The scores of a sample as one row: numbers, score buckets, and what else metrics say."""

from __future__ import annotations

import functools
import json
import math
import sqlite3
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from llmeval_core.journal.text_lists import text_list
from llmeval_core.records import Failure, Outcome, Score

NO_BUCKET = "-"
NOT_SCORED = "!"
"""Stands for the bucket of a metric that could not score the sample."""
_NAN = math.nan
_NONE = Score(None)
_NO_FAILURES: Mapping[str, Failure] = {}
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

ScoreRow = tuple[Any, ...]  # Any: SQLite columns


class ScoreColumns(NamedTuple):
    """The scores of a sample, in `sample_scores`."""

    numbers: bytes
    grades: str
    parsed: str | None
    parts: str | None
    details: str | None


def score_bucket(value: float) -> int:
    """Return the bucket of a score: 0 for 0 and less, 2 for 1 and more, 1 between."""
    return int(value > 0) + int(value >= 1)


def score_buckets(values: Sequence[float | None]) -> str:
    """Write the buckets of a sample's scores, a character each; `NO_BUCKET` for no value.

    Samples with the same buckets stand together in an index, so that those with a wrong score are
    found without looking at the others.
    """
    return "".join(
        [
            NO_BUCKET if value is None else "2" if value >= 1 else "1" if value > 0 else "0"
            for value in values
        ]
    )


def score_row(
    task_id: int,
    index: int,
    metrics: Sequence[str],
    scores: Mapping[str, Score],
    failures: Mapping[str, Failure] = _NO_FAILURES,
) -> ScoreRow:
    """Make the row of a sample's scores.

    Args:
        task_id, index: the sample's place.
        metrics: all metrics of the task; each has a score or a failure.
        scores, failures: by metric.
    """
    listed = [_NONE if metric in failures else scores[metric] for metric in metrics]
    values = [score.value for score in listed]
    numbers = [_NAN if value is None else value for value in values] if None in values else values
    parsed = [score.parsed for score in listed]
    parts = [score.parts for score in listed]
    details = [score.details for score in listed]
    return (
        task_id,
        index,
        _packer(len(numbers))(*numbers),
        _marked(score_buckets(values), metrics, failures) if failures else score_buckets(values),
        text_list(parsed) if parsed.count(None) < len(parsed) else None,
        _encode(parts) if any(parts) else None,
        _encode(details) if details.count(None) < len(details) else None,
    )


@functools.cache
def _packer(n_metrics: int) -> Callable[..., bytes]:
    return struct.Struct(f"<{n_metrics}d").pack


def _marked(buckets: str, metrics: Sequence[str], failures: Mapping[str, Failure]) -> str:
    """Mark the metrics that could not score the sample."""
    both = zip(metrics, buckets, strict=True)
    return "".join([NOT_SCORED if metric in failures else bucket for metric, bucket in both])


def to_scores(row: ScoreColumns, metrics: Sequence[str]) -> dict[str, Score]:
    """Read the scores of a sample, by metric; metrics that could not score it are left out."""
    return {
        metric: _to_score(row, position)
        for position, metric in enumerate(metrics)
        if row.grades[position] != NOT_SCORED
    }


@dataclass(frozen=True, slots=True)
class StoredScores:
    """The scores of one metric, streamed in sample order, as often as they are asked for.

    Args:
        connection: used by one thread at a time.
        task_id: the task's row.
        position: the metric's place among the task's metrics.
        n_metrics: how many these are.
        category: only of samples of this category; None for all.
        without: not of samples that ended so; None for all.
    """

    connection: sqlite3.Connection
    task_id: int
    position: int
    n_metrics: int
    category: str | None = None
    without: Outcome | None = None

    def __iter__(self) -> Iterator[Score]:
        """Stream the scores, of the samples that the metric could score."""
        rows = map(ScoreColumns._make, self._select(", ".join(ScoreColumns._fields)))
        place = self.position
        return (_to_score(row, place) for row in rows if row.grades[place] != NOT_SCORED)

    def value_blocks(self, size: int) -> Iterator[Sequence[float]]:
        """Stream the values of so many samples at a time, without those that have none."""
        rows = self._select("numbers")
        while block := rows.fetchmany(size):
            numbers = array("d", b"".join([row[0] for row in block]))
            if sys.byteorder == "big":
                numbers.byteswap()
            values = numbers[self.position :: self.n_metrics]
            yield array("d", [value for value in values if value == value])  # noqa: PLR0124  no NaN

    def _select(self, columns: str) -> sqlite3.Cursor:
        if self.category is None and self.without is None:
            return self.connection.execute(
                f"SELECT {columns} FROM sample_scores WHERE task = ? ORDER BY idx",  # noqa: S608  ours
                (self.task_id,),
            )
        category = "AND category = :category" if self.category is not None else ""
        outcome = "AND outcome != :without" if self.without is not None else ""
        return self.connection.execute(
            f"SELECT {columns} FROM samples JOIN sample_scores USING (task, idx)"  # noqa: S608  ours
            f" WHERE task = :task {category} {outcome} ORDER BY idx",
            {"task": self.task_id, "category": self.category, "without": self.without},
        )


def _to_score(row: ScoreColumns, position: int) -> Score:
    (value,) = struct.unpack_from("<d", row.numbers, 8 * position)
    return Score(
        None if math.isnan(value) else value,
        None if row.parsed is None else json.loads(row.parsed)[position],
        () if row.parts is None else tuple(json.loads(row.parts)[position]),
        None if row.details is None else json.loads(row.details)[position],
    )
