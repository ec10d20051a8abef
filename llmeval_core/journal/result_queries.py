"""What the journal can tell about results."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator, Sequence
from operator import itemgetter

from llmeval_core.completeness import current_by_metric, current_result
from llmeval_core.records import TaskResult


class ResultQueries:
    """Queries about results over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def current_result(self, model: str, task: str) -> TaskResult | None:
        """Find the current result of a model at a task: see `completeness`."""
        return current_result(self.results_of_task(model, task))

    def current_by_metric(self, model: str, task: str) -> dict[str, TaskResult]:
        """Find the current results of a model at a task, by metric."""
        return current_by_metric(self.results_of_task(model, task))

    def results_of_task(
        self, model: str, task: str, *, until: str | None = None, or_in: str | None = None
    ) -> Iterator[TaskResult]:
        """Stream the results of a model at a task, oldest first.

        Args:
            model, task: whose.
            until: the id of the last one wanted; the newest if None.
            or_in: a tracker; what it has is wanted too, however new.
        """
        found = self._connection.execute(
            "SELECT body FROM results WHERE model = ? AND task = ?"
            " AND (? IS NULL OR seq <= (SELECT seq FROM results WHERE id = ?) OR id IN"
            " (SELECT result FROM deliveries WHERE tracker = ? AND state = 'delivered'))"
            " ORDER BY seq",
            (model, task, until, until, or_in),
        )
        for (body,) in found:
            yield TaskResult.model_validate_json(body)

    def results_by_task(
        self, model: str, tasks: Sequence[str]
    ) -> Iterator[tuple[str, Iterator[TaskResult]]]:
        """Stream the results of a model at several tasks, task by task, oldest first.

        Args:
            model, tasks: whose; a task is named by its key.
        """
        found = self._connection.execute(
            "SELECT task, body FROM results WHERE model = ?"
            " AND task IN (SELECT value FROM json_each(?)) ORDER BY task, seq",
            (model, json.dumps(list(tasks))),
        )
        for task, group in itertools.groupby(found, key=itemgetter(0)):
            yield task, (TaskResult.model_validate_json(body) for _, body in group)

    def planned_tasks(self, plan_fingerprint: str) -> list[tuple[str, str]]:
        """List the model and the key of each task of a plan, in its order; none if not known."""
        return self._connection.execute(
            "SELECT json_extract(value, '$.model'), json_extract(value, '$.key')"
            " FROM plans, json_each(body, '$.tasks') WHERE fingerprint = ?",
            (plan_fingerprint,),
        ).fetchall()

    def result_of(self, model: str, task: str, task_fingerprint: str) -> TaskResult | None:
        """Find the newest result of a model at a task that has this fingerprint."""
        row = self._connection.execute(
            "SELECT body FROM results WHERE model = ? AND task = ? AND task_fingerprint = ?"
            " ORDER BY seq DESC LIMIT 1",
            (model, task, task_fingerprint),
        ).fetchone()
        return TaskResult.model_validate_json(row[0]) if row else None

    def n_results(self) -> int:
        """Count all results; none ever goes, so an equal count means that nothing is new."""
        (number,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM results").fetchone()
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
