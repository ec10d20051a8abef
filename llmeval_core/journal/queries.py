"""What the journal can tell about tasks and samples; every answer is streamed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from llmeval_core.completeness import standing, standing_by_metric
from llmeval_core.journal import rows
from llmeval_core.journal.model_usage import ModelUsage, usage
from llmeval_core.journal.reask_rounds import ReaskRounds
from llmeval_core.journal.sample_index import SampleIndex
from llmeval_core.journal.scores import SCORE_COLUMNS, StoredScores, to_scores
from llmeval_core.journal.stored import StoredAnswer, StoredTask
from llmeval_core.journal.totals import TaskTotals, ended_so, totals
from llmeval_core.records import Generation, Outcome, SampleResult, TaskResult

_TASK_COLUMNS = "id, fingerprint, model, key, started_at, metrics"
_WHOLE_SAMPLE = (
    "SELECT idx, generation, failure_kind, failure, outcome,"  # noqa: S608  names of columns
    f" {rows.SAMPLE_COLUMNS}, {rows.REQUEST_COLUMNS}, {rows.GENERATION_COLUMNS}, {SCORE_COLUMNS}"
    " FROM samples LEFT JOIN generations ON fingerprint = generation"
    " LEFT JOIN sample_scores USING (task, idx)"
)


class JournalQueries:
    """Queries over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.finder = SampleIndex(connection)
        self.rounds = ReaskRounds(connection)

    def task(self, fingerprint: str) -> StoredTask | None:
        """Find a task by its fingerprint."""
        row = self._connection.execute(
            f"SELECT {_TASK_COLUMNS} FROM tasks WHERE fingerprint = ?",  # noqa: S608  ours
            (fingerprint,),
        ).fetchone()
        return _to_task(row) if row else None

    def tasks(self) -> list[StoredTask]:
        """List every task, finished or not, in the order they were begun."""
        found = self._connection.execute(
            f"SELECT {_TASK_COLUMNS} FROM tasks ORDER BY id"  # noqa: S608  ours
        )
        return [_to_task(row) for row in found]

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
                generation = rows.to_generation(row[1:])
                if rows.is_answer(generation):
                    found[row[0].hex()] = generation
        return found

    def usage(self, model: str, key: str | None = None) -> ModelUsage | None:
        """Average what earlier answers used; see `history.usage`."""
        return usage(self._connection, model, key)

    def answered_at(self, requests: str, first: int, last: int) -> dict[int, StoredAnswer]:
        """Find the answers to a range of samples (both ends in it), by their places.

        Args:
            requests: the requests_fingerprint that tasks share if they ask the same of the same.
            first, last: places in the data set.
        """
        found: dict[int, StoredAnswer] = {}
        for (task_id,) in self._connection.execute(
            "SELECT id FROM tasks WHERE requests = ? ORDER BY id", (requests,)
        ).fetchall():
            missing = [index for index in range(first, last + 1) if index not in found]
            if not missing:
                break
            for row in self._connection.execute(
                f"SELECT idx, generation, {rows.SAMPLE_COLUMNS},"  # noqa: S608  names of columns
                f" {rows.GENERATION_COLUMNS} FROM samples"
                " JOIN generations ON fingerprint = generation"
                " WHERE task = ? AND idx BETWEEN ? AND ?",
                (task_id, missing[0], missing[-1]),
            ):
                if row[0] not in found:
                    rest = 2 + rows.N_SAMPLE_COLUMNS
                    generation = rows.to_generation(row[rest:])
                    if not rows.is_answer(generation):
                        continue
                    found[row[0]] = StoredAnswer(row[2:rest], row[1], generation)
        return found

    def scores(
        self,
        task: StoredTask,
        metric: str,
        category: str | None = None,
        *,
        without: Outcome | None = None,
    ) -> StoredScores:
        """Give a metric's scores in sample order, of one category or of all; see there."""
        position = task.metrics.index(metric)
        n_metrics = len(task.metrics)
        return StoredScores(self._connection, task.id, position, n_metrics, category, without)

    def categories(self, task_id: int) -> dict[str, int]:
        """Name the categories of a task, sorted, with how many of their samples failed."""
        return dict(
            self._connection.execute(
                "SELECT category, sum(failure_kind IS NOT NULL) FROM samples"
                " WHERE task = ? AND category IS NOT NULL GROUP BY category ORDER BY category",
                (task_id,),
            ).fetchall()
        )

    def ended_so(self, task_id: int, outcome: Outcome) -> dict[str | None, int]:
        """Count the samples that ended in one way, by category; see `totals.ended_so`."""
        return ended_so(self._connection, task_id, outcome)

    def n_ended(self, task_id: int) -> int:
        """Count the samples of a task that ended in some way."""
        (number,) = self._connection.execute(
            "SELECT count(*) FROM samples WHERE task = ?", (task_id,)
        ).fetchone()
        return int(number)

    def totals(self, task_id: int) -> TaskTotals:
        """Sum up a task."""
        return totals(self._connection, task_id)

    def sample_results(
        self,
        task_id: int,
        *,
        only_failed: bool = False,
        outcomes: frozenset[Outcome] = frozenset(),
        limit: int = -1,
        offset: int = 0,
    ) -> Iterator[SampleResult]:
        """Stream a task's samples in order, with request, generation and scores."""
        test = "AND failure_kind IS NOT NULL" if only_failed else ""
        if outcomes:
            # The words are ours. Saying that none is 'answered' lets SQLite take its small index.
            listed = ", ".join(f"'{outcome}'" for outcome in sorted(outcomes))
            test += f" AND outcome IN ({listed})"
            test += " AND outcome != 'answered'" if "answered" not in outcomes else ""
        found = self._connection.execute(
            f"{_WHOLE_SAMPLE} WHERE task = ? {test} ORDER BY idx LIMIT ? OFFSET ?",
            (task_id, limit, offset),
        )
        metrics = self.metrics(task_id)
        for row in found:
            yield _to_sample_result(row, metrics)

    def samples_at(self, task_id: int, indices: Sequence[int]) -> Iterator[SampleResult]:
        """Stream the samples at some places, a few hundred at most, in this order."""
        metrics = self.metrics(task_id)
        for index in indices:
            for row in self._connection.execute(
                f"{_WHOLE_SAMPLE} WHERE task = ? AND idx = ?", (task_id, index)
            ).fetchall():
                yield _to_sample_result(row, metrics)

    def metrics(self, task_id: int) -> tuple[str, ...]:
        """Name the metrics of a task, in the order in which scores are kept."""
        (names,) = self._connection.execute(
            "SELECT metrics FROM tasks WHERE id = ?", (task_id,)
        ).fetchone()
        return tuple(json.loads(names))

    def standing_result(self, model: str, task: str) -> TaskResult | None:
        """Find the result of a model at a task that stands: see `completeness`."""
        return standing(self.results_of_task(model, task))

    def standing_by_metric(self, model: str, task: str) -> dict[str, TaskResult]:
        """Find the results of a model at a task whose numbers stand, by metric."""
        return standing_by_metric(self.results_of_task(model, task))

    def results_of_task(
        self, model: str, task: str, *, until: str | None = None
    ) -> Iterator[TaskResult]:
        """Stream the results of a model at a task, oldest first.

        Args:
            model, task: whose.
            until: the id of the last one wanted; the newest if None.
        """
        found = self._connection.execute(
            "SELECT body FROM results WHERE model = ? AND task = ?"
            " AND (? IS NULL OR seq <= (SELECT seq FROM results WHERE id = ?)) ORDER BY seq",
            (model, task, until, until),
        )
        for (body,) in found:
            yield TaskResult.model_validate_json(body)

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

    def results(self, *, after: int = 0) -> Iterator[TaskResult]:
        """Stream all results, oldest first, or those that came after the first `after` ones."""
        for (body,) in self._connection.execute(
            "SELECT body FROM results WHERE seq > ? ORDER BY seq", (after,)
        ):
            yield TaskResult.model_validate_json(body)


def _to_task(row: rows.Row) -> StoredTask:
    id_, fingerprint, model, key, started_at, metrics = row
    return StoredTask(id_, fingerprint, model, key, started_at, tuple(json.loads(metrics)))


def _to_sample_result(row: rows.Row, metrics: Sequence[str]) -> SampleResult:
    index, generation, failure_kind, failure, outcome = row[:5]
    begin_request = 5 + rows.N_SAMPLE_COLUMNS
    begin_generation = begin_request + rows.N_REQUEST_COLUMNS
    begin_scores = begin_generation + rows.N_GENERATION_COLUMNS
    sample = rows.to_sample(row[5:begin_request])
    answered = row[begin_request] is not None
    scored = row[begin_scores] is not None and failure_kind is None
    request = None
    if answered:
        asked = row[begin_request:begin_generation]
        request = rows.to_request(asked, sample_id=sample.id, fingerprint=generation)
    return SampleResult(
        index=index,
        sample=sample,
        request=request,
        generation=rows.to_generation(row[begin_generation:begin_scores]) if answered else None,
        scores=to_scores(row[begin_scores:], metrics) if scored else {},
        failure=rows.to_failure(failure_kind, failure),
        from_journal=True,
        outcome=outcome,
    )
