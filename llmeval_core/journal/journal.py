"""The journal as the engine sees it: put samples in, ask questions, and it is all on disk."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, TypeVar

from llmeval_core.errors import JournalError
from llmeval_core.journal.connecting import flush_log
from llmeval_core.journal.delivery_repository import DeliveryRepository
from llmeval_core.journal.file_access import refuse_protected
from llmeval_core.journal.file_presence import FilePresence
from llmeval_core.journal.home import JOURNAL_FILE
from llmeval_core.journal.journal_inbox import JournalInbox
from llmeval_core.journal.journal_source import open_for_reading, open_for_writing
from llmeval_core.journal.process_lock import ProcessLock, try_process_lock
from llmeval_core.journal.queries import JournalQueries
from llmeval_core.journal.sqlite_errors import journal_error, sqlite_errors
from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.naming import Json
from llmeval_core.records import SampleResult, TaskResult

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Journal(JournalInbox):
    """One project's journal; use it as a context manager.

    Args:
        home: the project's folder for llmeval's own files; made if it is not there.
        reading: whether it is only read. It must be there then, and need not be ours: another
            user's, a backup, on a disk that cannot be written.

    Raises:
        JournalError: it cannot be read or written, or is of a newer version.
    """

    def __init__(self, home: Path, *, reading: bool = False) -> None:
        self.home = home
        self.path = home / JOURNAL_FILE
        self._lock = threading.Lock()
        with sqlite_errors(self.path):
            if reading:
                self._source, self._connection = open_for_reading(self.path)
            else:
                home.mkdir(parents=True, exist_ok=True)
                refuse_protected(self.path)
                self._source, self._connection = open_for_writing(self.path)
            self._presence = FilePresence(self._source.path, shown_path=self.path)
        super().__init__(self._source.path, shown_path=self.path, presence=self._presence)
        self._reader = JournalQueries(self._connection)
        self._deliveries = DeliveryRepository(self._connection)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is left and close the files."""
        self.close_writer()
        with self._lock:  # a thread that nobody waits for may still be reading
            if self._connection.total_changes:
                with suppress(OSError):  # it is committed; nobody can do more about it now
                    flush_log(self._source.path)
            self._connection.close()
            self._source.close()

    def begin_task(
        self,
        fingerprint: str,
        *,
        model: str,
        key: str,
        metrics: Sequence[str] = (),
        cache_key: str | None = None,
    ) -> StoredTask:
        """Find a task, or enter it; blocking.

        Args:
            fingerprint: all that decides its numbers.
            model, key: its names.
            metrics: names of its metrics, in order.
            cache_key: tasks that share it find each other's answers; None to find none.
        """
        with self._guard():
            self._connection.execute(
                "INSERT INTO tasks (fingerprint, model, key, started_at, metrics, requests)"
                " VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (fingerprint) DO UPDATE SET requests = excluded.requests,"
                " metrics = CASE metrics WHEN '[]' THEN excluded.metrics ELSE metrics END",
                (fingerprint, model, key, time.time(), json.dumps(list(metrics)), cache_key),
            )
            task = self._reader.task(fingerprint)
        if task is None:  # pragma: no cover  the row was made one line above
            raise AssertionError(fingerprint)
        return task

    def begin_round(self, cache_key: str, name: str, *, at: float, anew: bool) -> float:
        """Begin a round of asking again, or find it; see `ReaskRounds.begin`; blocking."""
        with self._guard():
            return self._reader.rounds.begin(cache_key, name, at=at, anew=anew)

    def read(
        self,
        query: Callable[Concatenate[JournalQueries, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Ask one question: `journal.read(JournalQueries.totals, task.id)`; blocking.

        Raises:
            JournalError: SQLite failed.
        """
        with self._guard():
            return query(self._reader, *args, **kwargs)

    @contextmanager
    def reader(self) -> Iterator[JournalQueries]:
        """Open a connection of its own, for long streamed reads; blocking.

        Raises:
            JournalError: SQLite failed; what else goes wrong in the block stays as it is.
        """
        self._presence.check()
        with sqlite_errors(self.path):
            connection = self._source.connect()
        try:
            yield JournalQueries(connection)
        except sqlite3.Error as err:
            raise journal_error(err, self.path) from err
        finally:
            connection.close()

    def samples_of(self, result: TaskResult) -> Iterable[SampleResult]:
        """Stream the samples of a task's result, in order; blocking."""
        with self.reader() as reader:
            task = reader.task(result.task_fingerprint)
            if task is not None:
                yield from reader.sample_results(task.id)

    # --- results and deliveries

    def plan_of(self, result: TaskResult) -> dict[str, Json]:
        """Return the plan that a result comes from; empty if it is not known. Blocking."""
        return self.deliveries(DeliveryRepository.plan, result.plan_fingerprint)

    def deliveries(
        self,
        query: Callable[Concatenate[DeliveryRepository, _P], _T],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _T:
        """Ask or note something: `journal.deliveries(DeliveryRepository.all)`; blocking.

        Raises:
            JournalError: SQLite failed.
        """
        with self._guard():
            return query(self._deliveries, *args, **kwargs)

    def try_lock(self, name: str) -> ProcessLock | None:
        """Take a lock between processes on one thing in this journal; None if another has it.

        Release it; it is freed too if the process dies.

        Raises:
            JournalError: the folder cannot be written.
        """
        self._presence.check()
        path = self._source.path.parent / "locks" / f"{name}.lock"
        with sqlite_errors(self.path):
            try:
                return try_process_lock(path)
            except (FileNotFoundError, NotADirectoryError):
                path.parent.mkdir(exist_ok=True)
                return try_process_lock(path)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            with self._lock, sqlite_errors(self.path):
                yield
        except JournalError as err:
            if problem := self._presence.cause_of(err):
                raise problem from err
            raise
