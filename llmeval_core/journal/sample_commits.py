"""Finished samples written in one transaction; one that cannot be kept fails alone."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from llmeval_core.journal import row_mapping
from llmeval_core.journal.reask_rounds import replace_answers
from llmeval_core.journal.scores import score_row
from llmeval_core.journal.stored_tasks import StoredTask
from llmeval_core.records import Failure, Sample, SampleResult

_LONGEST_REASON = 500
_ROWS_PER_STATEMENT = (48, 8, 1)  # few sizes: prepared once; none has more than 999 values


class QueuedSample(NamedTuple):
    """A finished sample that is to be written.

    Args:
        task: the task that it belongs to.
        result: how it ended.
        request: fingerprint of the request, 16 bytes; None if there was none.
        finished_at: when, seconds since 1970.
        is_again: whether its answer takes the place of an older one.
    """

    task: StoredTask
    result: SampleResult
    request: bytes | None
    finished_at: float
    is_again: bool


def commit_samples(connection: sqlite3.Connection, batch: list[QueuedSample]) -> None:
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


def _commit_alone(connection: sqlite3.Connection, item: QueuedSample) -> None:
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
            connection, _writable(_rows([QueuedSample(item.task, bare, None, 0.0, is_again=False)]))
        )


class _SampleRows(NamedTuple):
    """Rows by table; `replaced` are generations that take the place of others."""

    answered: list[row_mapping.Row]
    replaced: list[row_mapping.Row]
    samples: list[row_mapping.Row]
    scores: list[row_mapping.Row]


def _rows(batch: list[QueuedSample]) -> _SampleRows:
    """Make the rows of a batch."""
    answered: list[row_mapping.Row] = []
    replaced: list[row_mapping.Row] = []
    for item in batch:
        result = item.result
        if result.request and result.generation and not result.from_journal:
            row = row_mapping.generation_row(result.request, result.generation, item.finished_at)
            if item.is_again:
                replaced.append(row)
            else:
                answered.append(row)
    samples = [row_mapping.sample_row(item.task.id, item.result, item.request) for item in batch]
    scores = [
        score_row(item.task.id, item.result.index, item.task.metrics, item.result.scores)
        for item in batch
        if item.result.failure is None
    ]
    return _SampleRows(answered, replaced, samples, scores)


def _writable(listed: _SampleRows) -> _SampleRows:
    return _SampleRows(*([row_mapping.writable(row) for row in each] for each in listed))


def _insert_all(connection: sqlite3.Connection, listed: _SampleRows) -> None:
    """Insert all in one transaction.

    Raises:
        Exception: nothing was inserted; `sqlite3` raises more kinds for values than its own.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        _insert(
            connection, row_mapping.INSERT_GENERATIONS, listed.answered, row_mapping.UNLESS_ANSWERED
        )
        replace_answers(connection, listed.replaced)
        _insert(connection, row_mapping.INSERT_SAMPLES, listed.samples)
        _insert(connection, row_mapping.INSERT_SCORES, listed.scores)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _insert(
    connection: sqlite3.Connection, into: str, listed: list[row_mapping.Row], on_conflict: str = ""
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
