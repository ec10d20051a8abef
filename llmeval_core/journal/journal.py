"""The journal as the engine sees it: put samples in, ask questions, and it is all on disk."""

from __future__ import annotations

import asyncio
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
from llmeval_core.journal.journal_source import open_for_reading, open_for_writing
from llmeval_core.journal.journal_writer import JournalWriter
from llmeval_core.journal.process_lock import ProcessLock, try_process_lock
from llmeval_core.journal.queries import JournalQueries
from llmeval_core.journal.sqlite_errors import journal_error, sqlite_errors
from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.naming import Json
from llmeval_core.records import Generation, Request, SampleResult, TaskResult

_MOST_WAITING = 2000
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Journal:
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
        self._reader = JournalQueries(self._connection)
        self._deliveries = DeliveryRepository(self._connection)
        self._writer: JournalWriter | None = None

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
        if self._writer is not None:
            self._writer.close()
        with self._lock:  # a thread that nobody waits for may still be reading
            if self._connection.total_changes:
                with suppress(OSError):  # it is committed; nobody can do more about it now
                    flush_log(self._source.path)
            self._connection.close()
            self._source.close()

    # --- samples

    async def record(self, task: StoredTask, result: SampleResult) -> None:
        """Keep a finished sample; waits only when the disk falls far behind.

        Raises:
            JournalError: the disk is full, or cannot be written for another reason.
        """
        self.put(task, result)
        await self.keep_up()

    def put(
        self,
        task: StoredTask,
        result: SampleResult,
        request: bytes | None = None,
        *,
        is_again: bool = False,
    ) -> None:
        """Keep a finished sample and return at once; await `keep_up` after some hundred.

        Args:
            task: the task that it belongs to.
            result: how it ended; it has a score of each metric of the task unless it failed.
            request: fingerprint of the request, if `result` has only the answer.
            is_again: whether its answer takes the place of an older one.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put(task, result, request, is_again=is_again)

    def put_item(self, task: StoredTask, result: SampleResult) -> None:
        """Keep a finished sample whose answers were put before, with its turns; returns at once.

        Turns of an earlier attempt go. `put` is for samples of one request, whose answer comes with
        them.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put(task, result, has_turns=True)

    def put_answer(
        self, request: Request, generation: Generation, *, parent: Request | None = None
    ) -> None:
        """Keep an answer before its sample ends, and return at once.

        Args:
            request, generation: what was asked, and answered.
            parent: a request that was put before, and with whose messages this one begins; so many
                messages are not kept again. None for none.

        Raises:
            JournalError: as `record`.
        """
        self._started_writer().put_answer(request, generation, parent)

    @property
    def n_given(self) -> int:
        """How much was put so far."""
        return 0 if self._writer is None else self._writer.n_given

    @property
    def n_committed(self) -> int:
        """How much of what was put, from the first on, can be read."""
        return 0 if self._writer is None else self._writer.n_committed

    async def keep_up(self) -> None:
        """Wait if the disk has fallen far behind.

        Raises:
            JournalError: as `record`.
        """
        if self._writer is not None and self._writer.n_waiting > _MOST_WAITING:
            await self.flush()

    async def publish(self) -> None:
        """Return when every recorded sample can be read; `flush` says when it is on disk.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            await asyncio.wrap_future(self._writer.publish())

    def wait_until_published(self) -> None:
        """Do what `publish` does; blocking.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            self._writer.publish().result()

    async def flush(self) -> None:
        """Return when every recorded sample is on disk.

        Raises:
            JournalError: it could not be written.
        """
        if self._writer is not None:
            await asyncio.wrap_future(self._writer.flush())

    def _started_writer(self) -> JournalWriter:
        if self._writer is None:
            self._presence.check()
            self._writer = JournalWriter(
                self._source.path, shown_path=self.path, presence=self._presence
            )
        return self._writer

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

    async def save(self, result: TaskResult, trackers: tuple[str, ...]) -> None:
        """Keep a task's result, and who has yet to get it; returns when that is on disk.

        Args:
            result: the result; one that is there already is left as it is.
            trackers: names of trackers; those that have it already are left as they are.

        Raises:
            JournalError: it could not be written.
        """
        await asyncio.wrap_future(self._started_writer().save(result, trackers))

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
