"""What the journal can tell about tasks and samples; every answer is streamed."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from llmeval_core.journal import row_mapping, sample_mapping
from llmeval_core.journal.message_rows import MessageReader
from llmeval_core.journal.model_usage import ModelUsage, usage
from llmeval_core.journal.reask_rounds import ReaskRounds
from llmeval_core.journal.result_queries import ResultQueries
from llmeval_core.journal.sample_index import SampleIndex
from llmeval_core.journal.scores import ScoreColumns, StoredScores, to_scores
from llmeval_core.journal.selecting import ColumnGroups, named_rows
from llmeval_core.journal.stored_tasks import StoredAnswer, StoredTask
from llmeval_core.journal.totals import TaskTotals, n_without_score, outcome_counts, totals
from llmeval_core.records import Generation, Outcome, SampleResult, Turn

_WHOLE_SAMPLE = ColumnGroups(
    ("samples", sample_mapping.EndColumns),
    ("samples", sample_mapping.SampleColumns),
    ("generations", row_mapping.RequestColumns),
    ("generations", row_mapping.GenerationColumns),
    ("sample_scores", ScoreColumns),
)
_SELECT_WHOLE_SAMPLE = (
    f"SELECT {_WHOLE_SAMPLE.columns} FROM samples"  # noqa: S608  names of columns
    " LEFT JOIN generations ON fingerprint = generation"
    " LEFT JOIN sample_scores USING (task, idx)"
)
_ANSWER = ColumnGroups(
    ("samples", sample_mapping.AskedColumns),
    ("samples", sample_mapping.SampleColumns),
    ("generations", row_mapping.GenerationColumns),
)
_TURN = ColumnGroups(
    ("turns", row_mapping.TurnColumns),
    ("generations", row_mapping.RequestColumns),
    ("generations", row_mapping.GenerationColumns),
)
_GENERATION = ColumnGroups(("generations", row_mapping.GenerationColumns))
_TASK_COLUMNS = "id, fingerprint, model, key, started_at, metrics"


class JournalQueries(ResultQueries):
    """Queries over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._messages = MessageReader(connection)
        self.index = SampleIndex(connection)
        self.rounds = ReaskRounds(connection)

    def task(self, fingerprint: str) -> StoredTask | None:
        """Find a task by its fingerprint."""
        row = named_rows(
            self._connection,
            f"SELECT {_TASK_COLUMNS} FROM tasks WHERE fingerprint = ?",  # noqa: S608  ours
            (fingerprint,),
        ).fetchone()
        return _to_task(row) if row else None

    def tasks(self) -> list[StoredTask]:
        """List every task, finished or not, in the order they were begun."""
        found = named_rows(
            self._connection,
            f"SELECT {_TASK_COLUMNS} FROM tasks ORDER BY id",  # noqa: S608  ours
        )
        return [_to_task(row) for row in found]

    def tasks_of_key(self, key: str, *, model: str | None = None) -> list[StoredTask]:
        """List the tasks that a key can be of: its own, or that of a metric of the task.

        Args:
            key: a task's key, or a metric's key, which begins with that of its task.
            model: only of this model; of all if None.

        Returns:
            The tasks in the order they were begun, those with just this key last.
        """
        found = named_rows(
            self._connection,
            f"SELECT {_TASK_COLUMNS} FROM tasks"  # noqa: S608  ours
            " WHERE (key = :key OR substr(:key, 1, length(key) + 1) = key || '_')"
            " AND (:model IS NULL OR model = :model) ORDER BY key = :key, id",
            {"key": key, "model": model},
        )
        return [_to_task(row) for row in found]

    def finished_indices(self, task_id: int, first: int, last: int) -> set[int]:
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
                f"SELECT fingerprint, {_GENERATION.columns} FROM generations"  # noqa: S608
                f" WHERE fingerprint IN ({marks})"
            )
            for fingerprint, *columns in self._connection.execute(query, part):
                generation = row_mapping.to_generation(row_mapping.GenerationColumns._make(columns))
                if row_mapping.is_answer(generation):
                    found[fingerprint.hex()] = generation
        return found

    def answered(self, fingerprints: Sequence[str]) -> set[str]:
        """Say which requests have an answer, by fingerprint; see `rows.is_answer`."""
        found: set[str] = set()
        for start in range(0, len(fingerprints), 500):
            part = [bytes.fromhex(fingerprint) for fingerprint in fingerprints[start : start + 500]]
            marks = ",".join("?" * len(part))
            found.update(
                fingerprint.hex()
                for fingerprint, texts, likelihoods in self._connection.execute(
                    "SELECT fingerprint, texts, loglikelihoods FROM generations"  # noqa: S608
                    f" WHERE fingerprint IN ({marks})",
                    part,
                )
                if row_mapping.has_answer(texts, likelihoods)
            )
        return found

    def usage(self, model: str, key: str | None = None) -> ModelUsage | None:
        """Average what earlier answers used; see `history.usage`."""
        return usage(self._connection, model, key)

    def answered_at(self, cache_key: str, first: int, last: int) -> dict[int, StoredAnswer]:
        """Find the answers to a range of samples (both ends in it), by their places.

        Args:
            cache_key: of the tasks; they share it if they ask the same of the same model.
            first, last: places in the data set.
        """
        found: dict[int, StoredAnswer] = {}
        for (task_id,) in self._connection.execute(
            "SELECT id FROM tasks WHERE requests = ? ORDER BY id", (cache_key,)
        ).fetchall():
            missing = [index for index in range(first, last + 1) if index not in found]
            if not missing:
                break
            for row in self._connection.execute(
                f"SELECT {_ANSWER.columns} FROM samples"  # noqa: S608  names of columns
                " JOIN generations ON fingerprint = generation"
                " WHERE task = ? AND idx BETWEEN ? AND ?",
                (task_id, missing[0], missing[-1]),
            ):
                asked, sample, answer = _ANSWER.records(row)
                if asked.idx not in found:
                    generation = row_mapping.to_generation(answer)
                    if row_mapping.is_answer(generation):
                        found[asked.idx] = StoredAnswer(sample, asked.generation, generation)
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

    def n_without_score(
        self, task: StoredTask, metric: str, *, without: Outcome | None = None
    ) -> dict[str | None, int]:
        """Count the samples that a metric lacks; see `totals.n_without_score`."""
        position = task.metrics.index(metric)
        return n_without_score(self._connection, task.id, position, without=without)

    def outcome_counts(self, task_id: int, outcome: Outcome) -> dict[str | None, int]:
        """Count the samples that ended in one way, by category; see `totals.outcome_counts`."""
        return outcome_counts(self._connection, task_id, outcome)

    def n_finished(self, task_id: int) -> int:
        """Count the samples of a task that ended in some way."""
        (number,) = self._connection.execute(
            "SELECT count(*) FROM samples WHERE task = ?", (task_id,)
        ).fetchone()
        return int(number)

    def totals(self, task_id: int) -> TaskTotals:
        """Sum up a task."""
        return totals(self._connection, task_id)

    def sample_results(self, task_id: int) -> Iterator[SampleResult]:
        """Stream a task's samples in order, with request, generation and scores."""
        metrics, has_turns = self.metrics(task_id), self._has_turns(task_id)
        for row in self._connection.execute(
            f"{_SELECT_WHOLE_SAMPLE} WHERE task = ? ORDER BY idx", (task_id,)
        ):
            yield self._sample_result(row, metrics, task_id, has_turns=has_turns)

    def samples_at(self, task_id: int, indices: Sequence[int]) -> Iterator[SampleResult]:
        """Stream the samples at some places, a few hundred at most, in this order."""
        metrics, has_turns = self.metrics(task_id), self._has_turns(task_id)
        for first, last in _runs(indices):
            for row in self._connection.execute(
                f"{_SELECT_WHOLE_SAMPLE} WHERE task = ? AND idx BETWEEN ? AND ? ORDER BY idx",
                (task_id, first, last),
            ).fetchall():
                yield self._sample_result(row, metrics, task_id, has_turns=has_turns)

    def turns(self, task_id: int, index: int) -> tuple[Turn, ...]:
        """Read what was asked for one sample, if that was more than one request."""
        found = []
        for row in self._connection.execute(
            f"SELECT {_TURN.columns} FROM turns"  # noqa: S608  names of columns
            " JOIN generations ON fingerprint = generation WHERE task = ? AND idx = ? ORDER BY seq",
            (task_id, index),
        ).fetchall():
            turn, asked, answered = _TURN.records(row)
            request = row_mapping.to_request(
                asked, sample_id="", fingerprint=turn.generation, reader=self._messages
            )
            found.append(Turn(turn.role, request, row_mapping.to_generation(answered)))
        return tuple(found)

    def _has_turns(self, task_id: int) -> bool:
        found = self._connection.execute("SELECT 1 FROM turns WHERE task = ? LIMIT 1", (task_id,))
        return found.fetchone() is not None

    def _sample_result(
        self, row: row_mapping.Row, metrics: Sequence[str], task_id: int, *, has_turns: bool
    ) -> SampleResult:
        end, of_sample, asked, answered, scored = _WHOLE_SAMPLE.records(row)
        sample = sample_mapping.to_sample(of_sample, self._messages)
        is_answered = asked.mode is not None
        is_scored = scored.numbers is not None
        request = None
        if is_answered:
            request = row_mapping.to_request(
                asked, sample_id=sample.id, fingerprint=end.generation, reader=self._messages
            )
        return SampleResult(
            index=end.idx,
            sample=sample,
            request=request,
            generation=row_mapping.to_generation(answered) if is_answered else None,
            scores=to_scores(scored, metrics) if is_scored else {},
            failure=sample_mapping.to_failure(end),
            from_journal=True,
            outcome=end.outcome,
            turns=self.turns(task_id, end.idx) if has_turns else (),
            metric_failures=sample_mapping.to_metric_failures(end),
        )

    def metrics(self, task_id: int) -> tuple[str, ...]:
        """Name the metrics of a task, in the order in which scores are kept."""
        (names,) = self._connection.execute(
            "SELECT metrics FROM tasks WHERE id = ?", (task_id,)
        ).fetchone()
        return tuple(json.loads(names))

    def n_requests(self) -> int:
        """Count the answered requests, at once: none ever goes, so their rows are numbered."""
        (number,) = self._connection.execute(
            "SELECT coalesce(max(rowid), 0) FROM generations"
        ).fetchone()
        return int(number)


def _runs(indices: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Put places that follow each other together: first and last of each run."""
    for _, run in itertools.groupby(enumerate(indices), key=lambda item: item[1] - item[0]):
        places = [place for _, place in run]
        yield places[0], places[-1]


def _to_task(row: sqlite3.Row) -> StoredTask:
    return StoredTask(
        id=row["id"],
        fingerprint=row["fingerprint"],
        model=row["model"],
        key=row["key"],
        started_at=row["started_at"],
        metrics=tuple(json.loads(row["metrics"])),
    )
