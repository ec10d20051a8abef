"""One thread that writes finished samples and results, many in one commit.

Two things are told apart, because one costs a hundred times as much as the other:

* *published*: committed, so that every connection sees it and it outlives this process. SQLite
  appends it to its log (WAL).
* *durable*: on disk, so that it outlives a power failure. The thread flushes the log to disk
  (fsync), and with it everything that was committed before.

What is given waits up to `GATHER_S` for company, is then published and made durable together. Who
needs to read it at once (`publish`: the end of a task) has it published, and what it still lacks
to be durable follows at the end of the same `GATHER_S`: many small tasks share one flush to disk.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from llmeval_core.errors import JournalError
from llmeval_core.journal.connecting import connect, flush_log
from llmeval_core.journal.delivery_repository import DeliveryRepository
from llmeval_core.journal.file_presence import FilePresence
from llmeval_core.journal.queued_writes import Queued, QueuedAnswer, QueuedSample
from llmeval_core.journal.sample_commits import commit_all
from llmeval_core.journal.sqlite_errors import journal_error
from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.records import Generation, Request, SampleResult, TaskResult

GATHER_S = 0.05
"""How long the first of what is written together waits for company, seconds."""
MOST_ROWS = 1000
"""Samples in one commit at most."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _QueuedResult(NamedTuple):
    result: TaskResult
    trackers: tuple[str, ...]


class _WriteWaiter(NamedTuple):
    """Someone who waits until what was given before is published, or durable as well."""

    done: Future[None]
    durable: bool
    at_once: bool = True


@dataclass(slots=True)
class _Group:
    """What is written together."""

    rows: list[Queued] = field(default_factory=list)
    results: list[_QueuedResult] = field(default_factory=list)
    waiters: list[_WriteWaiter] = field(default_factory=list)


class JournalWriter:
    """Writes samples and results in the order they are given, committed in groups.

    A sample that was given is on disk at most about `GATHER_S` plus one commit later, or when
    `flush` is done. A sample that cannot be kept as it is, because a plugin gave something else
    than a text or a number, has failed with that reason; the others are kept. After an error of
    the journal itself nothing more is written; `check` and all futures raise it.

    Args:
        path: the journal.
        shown_path: what errors call it.
        presence: looks before each commit whether the journal's file is still there; made
            now if None.

    Attributes:
        n_given: samples and answers that were given; `n_committed` of them, the first ones, can be
            read.
    """

    def __init__(
        self, path: Path, *, shown_path: Path | None = None, presence: FilePresence | None = None
    ) -> None:
        self._path = path
        self._shown_path = shown_path or path  # in messages
        self._presence = presence or FilePresence(path, shown_path=self._shown_path)
        self._items: deque[Queued | _QueuedResult | _WriteWaiter] = deque()
        self._awake = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._ended = False
        self._error: JournalError | None = None
        self.n_given = 0
        self.n_committed = 0
        self._thread = threading.Thread(target=self._run, name="llmeval-journal", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """Samples that are not committed yet, about."""
        return len(self._items)

    def put(
        self,
        task: StoredTask,
        result: SampleResult,
        request: bytes | None = None,
        *,
        is_again: bool = False,
        has_turns: bool = False,
    ) -> None:
        """Give a finished sample to the writer; returns at once.

        Args:
            task: the task that it belongs to.
            result: how it ended.
            request: fingerprint of the request, if `result` has only the answer.
            is_again: whether its answer takes the place of an older one.
            has_turns: see `Journal.put_item`.

        Raises:
            JournalError: an earlier commit failed.
        """
        if result.request is not None:
            request = bytes.fromhex(result.request.fingerprint)
        self._give(QueuedSample(task, result, request, time.time(), is_again, has_turns))

    def put_answer(
        self,
        request: Request,
        generation: Generation,
        parent: Request | None = None,
        *,
        is_again: bool = False,
    ) -> None:
        """Give an answer to the writer before its sample ends; returns at once.

        Args:
            request, generation, parent, is_again: see `Journal.put_answer`.

        Raises:
            JournalError: an earlier commit failed.
        """
        self._give(QueuedAnswer(request, generation, time.time(), parent, is_again))

    def _give(self, item: Queued) -> None:
        self.check()
        self.n_given += 1
        self._items.append(item)
        if not self._awake.is_set():
            self._awake.set()

    def save(self, result: TaskResult, trackers: tuple[str, ...]) -> Future[None]:
        """Give a task's result to the writer; the future is done when it is on disk.

        Args:
            result: the result.
            trackers: who has yet to get it, by name.
        """
        self._items.append(_QueuedResult(result, trackers))
        return self._wait_for(durable=True, at_once=False)

    def publish(self) -> Future[None]:
        """Return a future that is done when everything given before can be read."""
        return self._wait_for(durable=False)

    def flush(self) -> Future[None]:
        """Return a future that is done when everything given before is on disk."""
        return self._wait_for(durable=True)

    def check(self) -> None:
        """Raise the error of an earlier commit, if there was one, or say that this is closed."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._closing = True
        self._wake_now()
        self._thread.join()

    def _wait_for(self, *, durable: bool, at_once: bool = True) -> Future[None]:
        done: Future[None] = Future()
        self._items.append(_WriteWaiter(done, durable, at_once))
        if at_once:
            self._hurry.set()
        self._awake.set()
        if self._ended:
            self._refuse_waiters()
        return done

    def _wake_now(self) -> None:
        self._hurry.set()
        self._awake.set()

    def _run(self) -> None:
        """Write until closed.

        The thread wakes once a commit, not once a sample: each time it would take the
        interpreter's lock from the event loop.
        """
        connection = self._attempt(connect, self._path)
        sync_at: float | None = None  # when what is published must be durable
        waiting: list[_WriteWaiter] = []  # for that
        running = True
        while running:
            if sync_at is None:
                self._awake.wait()
                sync_at = time.monotonic() + GATHER_S
            self._hurry.wait(timeout=max(0.0, sync_at - time.monotonic()))
            self._awake.clear()
            self._hurry.clear()
            closing = self._closing
            group = self._gather()
            if connection is not None and (group.rows or group.results):
                self._attempt(self._commit, connection, group)
            self._tell([waiter for waiter in group.waiters if not waiter.durable])
            durable = [waiter for waiter in group.waiters if waiter.durable]
            waiting += durable
            running = bool(self._items) or not closing
            if (
                not running
                or time.monotonic() >= sync_at
                or any(waiter.at_once for waiter in durable)
            ):
                self._attempt(flush_log, self._path)
                self._tell(waiting)
                waiting = []
                sync_at = None
        if connection is not None:
            connection.close()
        self._error = self._error or JournalError(
            "the journal is closed", where=str(self._shown_path)
        )
        self._ended = True
        self._refuse_waiters()

    def _refuse_waiters(self) -> None:
        """Tell those that came after the end: the thread at its end, or who comes after that."""
        while self._items:
            with contextlib.suppress(IndexError):  # the other one of these two was quicker
                item = self._items.popleft()
                if isinstance(item, _WriteWaiter):
                    self._tell([item])

    def _gather(self) -> _Group:
        """Take what was given, but no more samples than go into one commit."""
        group = _Group()
        while self._items and len(group.rows) < MOST_ROWS:
            item = self._items.popleft()
            if isinstance(item, QueuedSample | QueuedAnswer):
                group.rows.append(item)
            elif isinstance(item, _QueuedResult):
                group.results.append(item)
            else:
                group.waiters.append(item)
        if self._items:
            self._wake_now()
        return group

    def _commit(self, connection: sqlite3.Connection, group: _Group) -> None:
        self._presence.check()
        if group.rows:
            commit_all(connection, group.rows)
            self.n_committed += len(group.rows)
        if group.results:
            repository = DeliveryRepository(connection)
            for result, trackers in group.results:
                repository.save(result, trackers)

    def _attempt(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        """Do a part of the writing, unless an earlier part failed; None if it fails."""
        if self._error is None:
            try:
                return work(*args, **kwargs)
            except Exception as err:  # noqa: BLE001  nobody would hear of it from this thread
                self._error = self._presence.cause_of(err) or journal_error(err, self._shown_path)
        return None

    def _tell(self, waiters: list[_WriteWaiter]) -> None:
        for waiter in waiters:
            if not waiter.done.set_running_or_notify_cancel():
                continue  # who waited was cancelled
            if self._error is None:
                waiter.done.set_result(None)
            else:
                waiter.done.set_exception(self._error)
