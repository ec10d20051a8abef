"""What the journal can tell about tasks and samples; every answer is streamed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llmeval_core.journal import rows
from llmeval_core.journal.finding import SampleFinder
from llmeval_core.journal.history import Usage, usage
from llmeval_core.records import Generation, SampleResult, Score, TaskResult

_WHOLE_SAMPLE = (
    "SELECT idx, generation, failure_kind, failure,"  # noqa: S608  names of columns
    f" {rows.SAMPLE_COLUMNS}, {rows.REQUEST_COLUMNS}, {rows.GENERATION_COLUMNS}"
    " FROM samples LEFT JOIN generations ON fingerprint = generation"
)


@dataclass(frozen=True, slots=True)
class StoredTask:
    """A task in the journal; `id` is its row."""

    id: int
    fingerprint: str
    model: str
    key: str
    started_at: float


@dataclass(frozen=True, slots=True)
class TaskTotals:
    """Sums over a task's samples; tokens are None if no answer told them."""

    n_samples: int
    n_failed: int
    n_prompt_tokens: int | None
    n_completion_tokens: int | None


class Reader:
    """Queries over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.finder = SampleFinder(connection)

    def task(self, fingerprint: str) -> StoredTask | None:
        """Find a task by its fingerprint."""
        row = self._connection.execute(
            "SELECT id, fingerprint, model, key, started_at FROM tasks WHERE fingerprint = ?",
            (fingerprint,),
        ).fetchone()
        return StoredTask(*row) if row else None

    def tasks(self) -> list[StoredTask]:
        """List every task, finished or not, in the order they were begun."""
        found = self._connection.execute(
            "SELECT id, fingerprint, model, key, started_at FROM tasks ORDER BY id"
        )
        return [StoredTask(*row) for row in found]

    def done(self, task_id: int, first: int, last: int) -> set[int]:
        """Which samples of a range (both ends in it) are finished without failure."""
        found = self._connection.execute(
            "SELECT idx FROM samples WHERE task = ? AND idx BETWEEN ? AND ?"
            " AND failure_kind IS NULL",
            (task_id, first, last),
        )
        return {index for (index,) in found}

    def generations(self, fingerprints: Iterable[str]) -> dict[str, Generation]:
        """Find answers by request fingerprint; those that are not there are left out."""
        wanted = [bytes.fromhex(fingerprint) for fingerprint in fingerprints]
        found: dict[str, Generation] = {}
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            query = (
                f"SELECT fingerprint, {rows.GENERATION_COLUMNS} FROM generations"  # noqa: S608
                f" WHERE fingerprint IN ({marks})"
            )
            for row in self._connection.execute(query, part):
                found[row[0].hex()] = rows.to_generation(row[1:])
        return found

    def usage(self, model: str, key: str | None = None) -> Usage | None:
        """Average what earlier answers used; see `history.usage`."""
        return usage(self._connection, model, key)

    def n_answered(self, fingerprints: Iterable[str]) -> int:
        """Count how many of these requests have an answer."""
        return len(self.generations(fingerprints))

    def scores(self, task_id: int, metric: str, category: str | None = None) -> Iterator[Score]:
        """Stream a metric's scores in sample order, of one category or of all."""
        if category is None:
            found = self._connection.execute(
                "SELECT value, parsed, parts FROM scores WHERE task = ? AND metric = ?"
                " ORDER BY idx",
                (task_id, metric),
            )
        else:
            found = self._connection.execute(
                "SELECT s.value, s.parsed, s.parts FROM scores s JOIN samples USING (task, idx)"
                " WHERE s.task = ? AND s.metric = ? AND samples.category = ? ORDER BY s.idx",
                (task_id, metric, category),
            )
        return (rows.to_score(row) for row in found)

    def categories(self, task_id: int) -> dict[str, int]:
        """Name the categories of a task, sorted, with how many of their samples failed."""
        return dict(
            self._connection.execute(
                "SELECT category, sum(failure_kind IS NOT NULL) FROM samples"
                " WHERE task = ? AND category IS NOT NULL GROUP BY category ORDER BY category",
                (task_id,),
            ).fetchall()
        )

    def totals(self, task_id: int) -> TaskTotals:
        """Sum up a task."""
        row = self._connection.execute(
            "SELECT count(*), coalesce(sum(failure_kind IS NOT NULL), 0), sum(n_prompt_tokens),"
            " sum(n_completion_tokens) FROM samples"
            " LEFT JOIN generations ON fingerprint = generation WHERE task = ?",
            (task_id,),
        ).fetchone()
        return TaskTotals(*row)

    def sample_results(
        self, task_id: int, *, only_failed: bool = False, limit: int = -1, offset: int = 0
    ) -> Iterator[SampleResult]:
        """Stream a task's samples in order, with request, generation and scores."""
        failed = "AND failure_kind IS NOT NULL" if only_failed else ""
        found = self._connection.execute(
            f"{_WHOLE_SAMPLE} WHERE task = ? {failed} ORDER BY idx LIMIT ? OFFSET ?",
            (task_id, limit, offset),
        )
        metrics = self.metrics(task_id)
        for row in found:
            yield self._sample_result(task_id, row, metrics)

    def samples_at(self, task_id: int, indices: Sequence[int]) -> Iterator[SampleResult]:
        """Stream the samples at some places, a few hundred at most, in this order."""
        metrics = self.metrics(task_id)
        for index in indices:
            for row in self._connection.execute(
                f"{_WHOLE_SAMPLE} WHERE task = ? AND idx = ?", (task_id, index)
            ).fetchall():
                yield self._sample_result(task_id, row, metrics)

    def metrics(self, task_id: int) -> list[str]:
        """Name the metrics that a task has scores of; jumps through the index."""
        names: list[str] = []
        while True:
            (name,) = self._connection.execute(
                "SELECT min(metric) FROM scores WHERE task = ? AND metric > ?",
                (task_id, names[-1] if names else ""),
            ).fetchone()
            if name is None:
                return names
            names.append(name)

    def _sample_result(self, task_id: int, row: rows.Row, metrics: list[str]) -> SampleResult:
        index, generation, failure_kind, failure = row[:4]
        sample = rows.to_sample(row[4:10])
        answered = row[10] is not None
        scores = {}
        if failure_kind is None:
            marks = ",".join("?" * len(metrics))
            for name, *score in self._connection.execute(
                "SELECT metric, value, parsed, parts FROM scores"  # noqa: S608
                f" WHERE task = ? AND metric IN ({marks}) AND idx = ?",
                (task_id, *metrics, index),
            ):
                scores[name] = rows.to_score(tuple(score))
        request = None
        if answered:
            request = rows.to_request(row[10:14], sample_id=sample.id, fingerprint=generation)
        return SampleResult(
            index=index,
            sample=sample,
            request=request,
            generation=rows.to_generation(row[14:21]) if answered else None,
            scores=scores,
            failure=rows.to_failure(failure_kind, failure),
            from_journal=True,
        )

    def latest_result(self, model: str, task: str) -> TaskResult | None:
        """Find the newest result of a model at a task."""
        row = self._connection.execute(
            "SELECT body FROM results WHERE model = ? AND task = ? ORDER BY seq DESC LIMIT 1",
            (model, task),
        ).fetchone()
        return TaskResult.model_validate_json(row[0]) if row else None

    def result_of(self, task_fingerprint: str) -> TaskResult | None:
        """Find the newest result of a task by its fingerprint."""
        row = self._connection.execute(
            "SELECT body FROM results WHERE task_fingerprint = ? ORDER BY seq DESC LIMIT 1",
            (task_fingerprint,),
        ).fetchone()
        return TaskResult.model_validate_json(row[0]) if row else None

    def n_results(self) -> int:
        """Count all results; none ever goes, so an equal count means that nothing is new."""
        (number,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM results").fetchone()
        return int(number)

    def n_requests(self) -> int:
        """Count the answered requests, at once: none ever goes, so their rows are numbered."""
        (number,) = self._connection.execute(
            "SELECT coalesce(max(rowid), 0) FROM generations"
        ).fetchone()
        return int(number)

    def n_samples(self) -> tuple[int, int]:
        """Sum up the samples of all results, and those of them that failed."""
        n_samples, n_failed = self._connection.execute(
            "SELECT coalesce(sum(json_extract(body, '$.n_samples')), 0),"
            " coalesce(sum(json_extract(body, '$.n_failed')), 0) FROM results"
        ).fetchone()
        return int(n_samples), int(n_failed)

    def results(self) -> Iterator[TaskResult]:
        """Stream all results, oldest first."""
        for (body,) in self._connection.execute("SELECT body FROM results ORDER BY seq"):
            yield TaskResult.model_validate_json(body)
