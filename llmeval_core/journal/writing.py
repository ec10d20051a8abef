"""One thread that writes finished samples, many in one commit."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from llmeval_core.errors import JournalError
from llmeval_core.journal import rows
from llmeval_core.journal.file_presence import FilePresence
from llmeval_core.journal.reask_rounds import replace_answers
from llmeval_core.journal.schema import connect, journal_error
from llmeval_core.journal.scores import score_row
from llmeval_core.journal.stored import StoredTask
from llmeval_core.records import Failure, Sample, SampleResult

GATHER_S = 0.05
"""How long the first sample of a commit waits for company, seconds."""
MOST_ROWS = 1000
"""Samples in one commit at most."""
_LONGEST_REASON = 500
_ROWS_PER_STATEMENT = (48, 8, 1)  # few sizes: prepared once; none has more than 999 values


class _QueuedWrite(NamedTuple):
    task: StoredTask
    result: SampleResult
    request: bytes | None
    finished_at: float
    is_again: bool


_Flush = Future[None]


class SampleWriter:
    """Writes samples in the order they are given, committed in groups.

    A sample that was given is on disk at most about `GATHER_S` plus one commit later, or when
    `flush` is done. A sample that cannot be kept as it is, because a plugin gave something else
    than a text or a number, has failed with that reason; the others are kept. After an error of
    the journal itself nothing more is written; `check` and `flush` raise it.

    Args:
        path: the journal.
        called: what errors call it.
        presence: looks before each commit whether the journal's file is still there; made
            now if None.
    """

    def __init__(
        self, path: Path, *, called: Path | None = None, presence: FilePresence | None = None
    ) -> None:
        self._path = path
        self._called = called or path  # in messages
        self._presence = presence or FilePresence(path, called=self._called)
        self._items: deque[_QueuedWrite | _Flush] = deque()
        self._awake = threading.Event()
        self._hurry = threading.Event()
        self._closing = False
        self._error: JournalError | None = None
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
    ) -> None:
        """Give a finished sample to the writer; returns at once.

        Args:
            task: the task that it belongs to.
            result: how it ended.
            request: fingerprint of the request, if `result` has only the answer.
            is_again: whether its answer takes the place of an older one.

        Raises:
            JournalError: an earlier commit failed.
        """
        self.check()
        if result.request is not None:
            request = bytes.fromhex(result.request.fingerprint)
        self._items.append(_QueuedWrite(task, result, request, time.time(), is_again))
        if not self._awake.is_set():
            self._awake.set()

    def check(self) -> None:
        """Raise the error of an earlier commit, if there was one."""
        if self._error is not None:
            raise self._error

    def flush(self) -> Future[None]:
        """Return a future that is done when everything given before is on disk."""
        done: Future[None] = Future()
        self._items.append(done)
        self._wake_now()
        return done

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._closing = True
        self._wake_now()
        self._thread.join()

    def _wake_now(self) -> None:
        self._hurry.set()
        self._awake.set()

    def _run(self) -> None:
        try:
            connection = connect(self._path)
        except sqlite3.Error as err:
            self._error = self._presence.behind(err) or journal_error(err, self._called)
            connection = None
        running = True
        while running:
            batch, flushes, running = self._gather()
            if batch and self._error is None and connection is not None:
                try:
                    self._presence.check()
                    _commit(connection, batch)
                except Exception as err:  # noqa: BLE001  nobody would hear of it from this thread
                    self._error = self._presence.behind(err) or journal_error(err, self._called)
            for done in flushes:
                if not done.set_running_or_notify_cancel():
                    continue  # who waited was cancelled
                if self._error is None:
                    done.set_result(None)
                else:
                    done.set_exception(self._error)
        if connection is not None:
            connection.close()

    def _gather(self) -> tuple[list[_QueuedWrite], list[_Flush], bool]:
        """Wait for something to do, and a moment longer for more of it.

        The thread wakes once a commit, not once a sample: each time it would take the
        interpreter's lock from the event loop.
        """
        self._awake.wait()
        self._hurry.wait(timeout=GATHER_S)
        self._awake.clear()
        self._hurry.clear()
        closing = self._closing
        batch: list[_QueuedWrite] = []
        flushes: list[_Flush] = []
        while self._items and len(batch) < MOST_ROWS:
            item = self._items.popleft()
            if isinstance(item, _QueuedWrite):
                batch.append(item)
            else:
                flushes.append(item)
        if self._items:
            self._wake_now()
        return batch, flushes, bool(self._items) or not closing


def _commit(connection: sqlite3.Connection, batch: list[_QueuedWrite]) -> None:
    """Write many samples at once; where one of them cannot be written, each by itself."""
    try:
        listed = _rows(batch)
        try:
            _insert_all(connection, listed)
        except UnicodeEncodeError:  # rare, so that looking at each text beforehand is a waste
            _insert_all(connection, _writable(listed))
    except sqlite3.OperationalError:  # the disk, the file, a lock: no sample's fault
        raise
    except Exception:  # noqa: BLE001  what a plugin gave for a text or a number can be anything
        for item in batch:
            _commit_alone(connection, item)


def _commit_alone(connection: sqlite3.Connection, item: _QueuedWrite) -> None:
    """Write one sample: as it is, or without its scores, or only that it cannot be kept.

    Raises:
        sqlite3.Error, OverflowError: the journal cannot be written, or the sample has no place.
    """
    try:
        _insert_all(connection, _writable(_rows([item])))
    except sqlite3.OperationalError:
        raise
    except Exception as err:  # noqa: BLE001  as above
        reason = f"the journal cannot keep this sample: {type(err).__name__}: {err}"
        failure = Failure("malformed", reason[:_LONGEST_REASON])
    else:
        return
    result = replace(item.result, scores={}, failure=failure, outcome="unscored")
    try:
        _insert_all(connection, _writable(_rows([item._replace(result=result)])))
    except sqlite3.OperationalError:
        raise
    except Exception:  # noqa: BLE001  as above
        bare = replace(
            result,
            sample=Sample(item.result.sample.id, ""),
            request=None,
            generation=None,
            outcome="failed",
        )
        _insert_all(
            connection, _writable(_rows([_QueuedWrite(item.task, bare, None, 0.0, is_again=False)]))
        )


class _SampleRows(NamedTuple):
    """Rows by table; `replaced` are generations that take the place of others."""

    answered: list[rows.Row]
    replaced: list[rows.Row]
    samples: list[rows.Row]
    scores: list[rows.Row]


def _rows(batch: list[_QueuedWrite]) -> _SampleRows:
    """Make the rows of a batch."""
    answered: list[rows.Row] = []
    replaced: list[rows.Row] = []
    for item in batch:
        result = item.result
        if result.request and result.generation and not result.from_journal:
            row = rows.generation_row(result.request, result.generation, item.finished_at)
            if item.is_again:
                replaced.append(row)
            else:
                answered.append(row)
    samples = [rows.sample_row(item.task.id, item.result, item.request) for item in batch]
    scores = [
        score_row(item.task.id, item.result.index, item.task.metrics, item.result.scores)
        for item in batch
        if item.result.failure is None
    ]
    return _SampleRows(answered, replaced, samples, scores)


def _writable(listed: _SampleRows) -> _SampleRows:
    return _SampleRows(*([rows.writable(row) for row in each] for each in listed))


def _insert_all(connection: sqlite3.Connection, listed: _SampleRows) -> None:
    """Insert all in one transaction.

    Raises:
        Exception: nothing was inserted; `sqlite3` raises more kinds for values than its own.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _insert(connection, rows.INSERT_GENERATIONS, listed.answered, rows.UNLESS_ANSWERED)
        replace_answers(connection, listed.replaced)
        _insert(connection, rows.INSERT_SAMPLES, listed.samples)
        _insert(connection, rows.INSERT_SCORES, listed.scores)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _insert(
    connection: sqlite3.Connection, into: str, listed: list[rows.Row], on_conflict: str = ""
) -> None:
    """Insert rows of equal length, many with one statement.

    `executemany` gives up the interpreter's lock and takes it back at each row; beside a busy
    thread that is up to 5 ms a row (`sys.getswitchinterval`).
    """
    start = 0
    for n_rows in _ROWS_PER_STATEMENT:
        while len(listed) - start >= n_rows:
            part = listed[start : start + n_rows]
            marks = f"({','.join('?' * len(part[0]))})"
            values = ",".join([marks] * n_rows)
            connection.execute(
                f"{into} VALUES {values}{on_conflict}", list(chain.from_iterable(part))
            )
            start += n_rows
