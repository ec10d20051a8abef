"""The state of each delivery: which tracker has which result."""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llmeval_core.completeness import current_by_metric
from llmeval_core.contracts import Receipt
from llmeval_core.journal.selecting import named_rows, read_records
from llmeval_core.naming import Json
from llmeval_core.records import TaskResult, TrackerStatus

DeliveryState = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """Where one result stands with one tracker; `reason` tells why it is not delivered."""

    result_id: str
    tracker: str
    state: DeliveryState
    reason: str | None
    attempts: int
    location: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class StoredTracker:
    """A tracker that a run once used, with its settings as written in the run file."""

    name: str
    config: dict[str, Any]  # Any: what the run file had


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """One result that a tracker does not have yet, or has refused."""

    result_id: str
    model: str
    task: str
    state: DeliveryState
    attempts: int
    reason: str | None


class DeliveryRepository:
    """Queries and updates over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def save(self, result: TaskResult, trackers: tuple[str, ...]) -> None:
        """Store a result and, in the same commit, that each tracker has yet to get it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.execute(
                "INSERT OR IGNORE INTO results (id, task_fingerprint, model, task, body)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    result.id,
                    result.task_fingerprint,
                    result.model,
                    result.task,
                    result.model_dump_json(),
                ),
            )
            self._connection.executemany(
                "INSERT OR IGNORE INTO deliveries (result, tracker, state, updated_at)"
                " VALUES (?, ?, 'pending', ?)",
                [(result.id, tracker, time.time()) for tracker in trackers],
            )
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def remember_plan(self, fingerprint: str, plan: Mapping[str, Json]) -> None:
        """Keep what a run was asked to do, for whoever gets its results."""
        self._connection.execute(
            "INSERT OR IGNORE INTO plans VALUES (?, ?)",
            (fingerprint, json.dumps(plan, ensure_ascii=False)),
        )

    def plan(self, fingerprint: str) -> dict[str, Json]:
        """Read a plan; empty if it is not known."""
        found = self._connection.execute(
            "SELECT body FROM plans WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        return {} if found is None else dict(json.loads(found[0]))

    def remember_tracker(self, tracker: StoredTracker) -> None:
        """Keep how a tracker is made, so that `llmeval sync` can make it again."""
        self._connection.execute(
            "INSERT INTO trackers VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET config = excluded.config",
            (tracker.name, json.dumps(tracker.config, ensure_ascii=False, sort_keys=True)),
        )

    def trackers(self) -> list[StoredTracker]:
        """List every tracker that was ever used, by name."""
        found = self._connection.execute("SELECT name, config FROM trackers ORDER BY name")
        return [StoredTracker(name, json.loads(config)) for name, config in found]

    def pending(self, tracker: str, *, with_failed: bool = False) -> list[str]:
        """List the ids of results that wait for a tracker, oldest first.

        Args:
            tracker: its name.
            with_failed: whether those that it refused for good are listed too.
        """
        states = ("pending", "failed") if with_failed else ("pending", "pending")
        found = self._connection.execute(
            "SELECT result FROM deliveries JOIN results ON id = result"
            " WHERE tracker = ? AND state IN (?, ?) ORDER BY seq",
            (tracker, *states),
        )
        return [result_id for (result_id,) in found]

    def n_undelivered(self, tracker: str) -> int:
        """Count the results that a tracker does not have, those that it refused among them."""
        (number,) = self._connection.execute(
            "SELECT count(*) FROM deliveries WHERE tracker = ? AND state != 'delivered'",
            (tracker,),
        ).fetchone()
        return int(number)

    def undelivered(self, tracker: str) -> list[PendingDelivery]:
        """List the results that a tracker does not have, oldest first."""
        return read_records(
            self._connection,
            PendingDelivery,
            "SELECT result AS result_id, model, task, state, attempts, reason FROM deliveries"
            " JOIN results ON id = result WHERE tracker = ? AND state != 'delivered' ORDER BY seq",
            (tracker,),
        )

    def tracker_statuses(self) -> list[TrackerStatus]:
        """Sum up every tracker that was ever used, by name."""
        found = named_rows(
            self._connection,
            "SELECT name, coalesce(sum(state = 'delivered'), 0) AS n_delivered,"
            " coalesce(sum(state = 'pending'), 0) AS n_pending,"
            " coalesce(sum(state = 'failed'), 0) AS n_failed,"
            " max(CASE WHEN state = 'delivered' THEN updated_at END) AS delivered_at, config"
            " FROM trackers LEFT JOIN deliveries ON tracker = name GROUP BY name ORDER BY name",
        ).fetchall()
        return [
            TrackerStatus(
                row["name"],
                row["n_delivered"],
                row["n_pending"],
                row["n_failed"],
                row["delivered_at"],
                location=self._newest("location", row["name"]),
                reason=self._newest("reason", row["name"]),
                config=json.loads(row["config"]),
            )
            for row in found
        ]

    def _newest(self, column: Literal["location", "reason"], tracker: str) -> str | None:
        found = self._connection.execute(
            f"SELECT {column} FROM deliveries WHERE tracker = ?"  # noqa: S608  two literals
            f" AND {column} IS NOT NULL ORDER BY updated_at DESC LIMIT 1",
            (tracker,),
        ).fetchone()
        return None if found is None else str(found[0])

    def assign(self, tracker: StoredTracker, *, models: str, latest: bool, again: bool) -> int:
        """Note that a tracker is to get results that were there before it.

        Args:
            tracker: its name and how to make it.
            models: which models, as a glob: `*`, `openai/*`.
            latest: of each model and task only the results that stand; see `completeness`.
            again: whether what it has already is sent once more.

        Returns:
            How many results were chosen, those that it has already among them.
        """
        only = "AND id IN (SELECT value FROM json_each(?))" if latest else ""
        chosen = f"FROM results WHERE model GLOB ? {only}"
        values = (models, json.dumps(self._current(models))) if latest else (models,)
        conflict = "UPDATE SET state = 'pending', reason = NULL" if again else "NOTHING"
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self.remember_tracker(tracker)
            self._connection.execute(
                "INSERT INTO deliveries (result, tracker, state, updated_at)"
                f" SELECT id, ?, 'pending', ? {chosen}"
                f" ON CONFLICT (tracker, result) DO {conflict}",
                (tracker.name, time.time(), *values),
            )
            (number,) = self._connection.execute(f"SELECT count(*) {chosen}", values).fetchone()
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return int(number)

    def _current(self, models: str) -> list[str]:
        """List the ids of current results, one or more for each model and task."""
        found = self._connection.execute(
            "SELECT body FROM results WHERE model GLOB ? ORDER BY model, task, seq", (models,)
        )
        results = (TaskResult.model_validate_json(body) for (body,) in found)
        return [
            result_id
            for _, group in itertools.groupby(results, key=lambda one: (one.model, one.task))
            for result_id in sorted({one.id for one in current_by_metric(group).values()})
        ]

    def result(self, result_id: str) -> TaskResult:
        """Read one result."""
        (body,) = self._connection.execute(
            "SELECT body FROM results WHERE id = ?", (result_id,)
        ).fetchone()
        return TaskResult.model_validate_json(body)

    def delivered(self, result_id: str, tracker: str, receipt: Receipt) -> None:
        """Note that a tracker has a result."""
        self._connection.execute(
            "UPDATE deliveries SET state = 'delivered', reason = NULL, attempts = attempts + 1,"
            " location = ?, note = ?, updated_at = ? WHERE result = ? AND tracker = ?",
            (receipt.location, receipt.note, time.time(), result_id, tracker),
        )

    def refused(self, result_id: str, tracker: str, reason: str, *, permanent: bool) -> None:
        """Note why a tracker did not take a result."""
        self._connection.execute(
            "UPDATE deliveries SET state = ?, reason = ?, attempts = attempts + 1,"
            " updated_at = ? WHERE result = ? AND tracker = ?",
            ("failed" if permanent else "pending", reason, time.time(), result_id, tracker),
        )

    def all(self) -> list[DeliveryRecord]:
        """List every delivery, oldest result first."""
        return read_records(
            self._connection,
            DeliveryRecord,
            "SELECT result AS result_id, tracker, state, reason, attempts, location, note"
            " FROM deliveries JOIN results ON id = result ORDER BY seq, tracker",
        )
