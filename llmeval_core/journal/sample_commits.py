"""Answers and finished samples in one transaction; what cannot be kept fails alone."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from llmeval_core.errors import describe_error
from llmeval_core.journal import row_mapping, sample_mapping
from llmeval_core.journal.message_rows import image_rows, insert_images
from llmeval_core.journal.queued_writes import Queued, QueuedAnswer, QueuedSample
from llmeval_core.journal.reask_rounds import replace_answers
from llmeval_core.journal.scores import score_row
from llmeval_core.records import Failure, Sample, SampleResult

_log = logging.getLogger("llmeval")


_LONGEST_REASON = 500


_MOST_PLACES = 500


_ROWS_PER_STATEMENT = (40, 8, 1)  # few sizes: prepared once; none has more than 999 values


def commit_all(connection: sqlite3.Connection, batch: list[Queued]) -> None:
    """Write many at once; where one of them cannot be written, each by itself.

    What was finished before an answer is replaced is written before that, and goes if it was made
    of the old one.
    """
    start = 0
    used: set[str] = set()  # requests whose answers the samples of this part are made of
    is_plain = not any(isinstance(item, QueuedAnswer) and item.is_again for item in batch)
    for place, item in enumerate(() if is_plain else batch):
        if isinstance(item, QueuedSample):
            used.update(turn.request.fingerprint for turn in item.result.turns)
            used.update([item.request.hex()] if item.request is not None else [])
        elif item.is_again and item.request.fingerprint in used:
            _commit_part(connection, batch[start:place])
            start, used = place, set()
    _commit_part(connection, batch[start:])


def _commit_part(connection: sqlite3.Connection, batch: list[Queued]) -> None:
    try:
        listed = _rows(connection, batch)
        try:
            _insert_all(connection, listed)
        except UnicodeEncodeError:  # rare, so that looking at each text beforehand is a waste
            _insert_all(connection, _writable(listed))
    except sqlite3.OperationalError:  # the disk, the file, a lock: no sample's fault
        raise
    except Exception:  # noqa: BLE001  what a plugin gave for a text or a number can be anything
        for item in batch:
            if isinstance(item, QueuedAnswer):
                _commit_answer_alone(connection, item)
            else:
                _commit_alone(connection, item)


def _commit_answer_alone(connection: sqlite3.Connection, item: QueuedAnswer) -> None:
    """Write one answer, or nothing: it is asked again when it is wanted again."""
    try:
        _insert_all(connection, _writable(_rows(connection, [item])))
    except sqlite3.OperationalError:
        raise
    except Exception as err:  # noqa: BLE001  as above
        _log.warning("the journal cannot keep an answer: %s", describe_error(err))


def _commit_alone(connection: sqlite3.Connection, item: QueuedSample) -> None:
    """Write one sample: as it is, or without its scores, or only that it cannot be kept.

    Raises:
        sqlite3.Error, OverflowError: the journal cannot be written, or the sample has no place.
    """
    try:
        _insert_all(connection, _writable(_rows(connection, [item])))
    except sqlite3.OperationalError:
        raise
    except Exception as err:  # noqa: BLE001  as above
        reason = f"the journal cannot keep this sample: {type(err).__name__}: {err}"
        failure = Failure("malformed", reason[:_LONGEST_REASON])
    else:
        return
    result = replace(
        item.result, scores={}, failure=failure, outcome="unscored", metric_failures={}
    )
    try:
        _insert_all(connection, _writable(_rows(connection, [item._replace(result=result)])))
    except sqlite3.OperationalError:
        raise
    except Exception:  # noqa: BLE001  as above
        bare = replace(
            result,
            sample=Sample(item.result.sample.id, ""),
            request=None,
            generation=None,
            outcome="failed",
            turns=(),
        )
        last = QueuedSample(item.task, bare, None, 0.0, is_again=False)
        _insert_all(connection, _writable(_rows(connection, [last])))


class _Rows(NamedTuple):
    """Rows by table.

    `replaced` are generations that take the place of others; of the samples in `unturned` the turns
    of earlier attempts go, of those in `unscored` the scores.
    """

    answered: list[row_mapping.Row]
    replaced: list[row_mapping.Row]
    samples: list[row_mapping.Row]
    scores: list[row_mapping.Row]
    unscored: list[row_mapping.Row]
    unturned: list[row_mapping.Row]
    turns: list[row_mapping.Row]
    images: list[row_mapping.Row]


def _rows(connection: sqlite3.Connection, batch: list[Queued]) -> _Rows:
    """Make the rows of a batch."""
    rows = _Rows([], [], [], [], [], [], [], [])
    parents = _known_parents(connection, batch)
    turns: dict[tuple[int, int], QueuedSample] = {}
    for item in batch:
        if isinstance(item, QueuedAnswer):
            _add_answer(rows, item, parents)
            continue
        _add_sample(rows, item)
        if item.has_turns:
            turns[item.task.id, item.result.index] = item  # of two attempts the last counts
    if rows.unscored and rows.scores:
        _last_scores(rows, batch)
    for place, item in turns.items():
        rows.unturned.append(place)
        rows.turns.extend(
            (*place, seq, turn.role, bytes.fromhex(turn.request.fingerprint))
            for seq, turn in enumerate(item.result.turns)
        )
    return rows


def _add_answer(rows: _Rows, item: QueuedAnswer, parents: frozenset[str]) -> None:
    parent = item.parent if item.parent and item.parent.fingerprint in parents else None
    (rows.replaced if item.is_again else rows.answered).append(
        row_mapping.generation_row(item.request, item.generation, item.finished_at, parent=parent)
    )
    rows.images.extend(image_rows(item.request.messages))


def _add_sample(rows: _Rows, item: QueuedSample) -> None:
    result, task_id = item.result, item.task.id
    is_new = not (item.has_turns or result.from_journal)
    if is_new and result.request and result.generation:
        row = row_mapping.generation_row(result.request, result.generation, item.finished_at)
        (rows.replaced if item.is_again else rows.answered).append(row)
        rows.images.extend(image_rows(result.request.messages))
    rows.samples.append(sample_mapping.sample_row(task_id, result, item.request))
    if not isinstance(result.sample.input, str):
        rows.images.extend(image_rows(result.sample.input))
    if _has_scores(result):
        rows.scores.append(
            score_row(
                task_id, result.index, item.task.metrics, result.scores, result.metric_failures
            )
        )
    else:
        rows.unscored.append((task_id, result.index))


def _has_scores(result: SampleResult) -> bool:
    return result.failure is None or bool(result.scores)


def _last_scores(rows: _Rows, batch: list[Queued]) -> None:
    """Leave out the scores of samples that ended once more in this batch, without any."""
    has_scores = {
        (item.task.id, item.result.index): _has_scores(item.result)
        for item in batch
        if isinstance(item, QueuedSample)
    }
    rows.scores[:] = [row for row in rows.scores if has_scores[row[0], row[1]]]


def _known_parents(connection: sqlite3.Connection, batch: list[Queued]) -> frozenset[str]:
    """Say which parents of the answers in a batch are, or will be, in the journal."""
    answers = [item for item in batch if isinstance(item, QueuedAnswer)]
    wanted = {item.parent.fingerprint for item in answers if item.parent is not None}
    if not wanted:
        return frozenset()
    known = wanted & {item.request.fingerprint for item in answers}
    for fingerprint in wanted - known:
        if connection.execute(
            "SELECT 1 FROM generations WHERE fingerprint = ?", (bytes.fromhex(fingerprint),)
        ).fetchone():
            known.add(fingerprint)
    return frozenset(known)


def _writable(listed: _Rows) -> _Rows:
    return _Rows(*([row_mapping.writable(row) for row in each] for each in listed))


def _insert_all(connection: sqlite3.Connection, listed: _Rows) -> None:
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
        _insert(connection, sample_mapping.INSERT_SAMPLES, listed.samples)
        if listed.unscored:
            _delete_scores(connection, listed.unscored)
        _insert(connection, row_mapping.INSERT_SCORES, listed.scores)
        if listed.unturned:
            connection.executemany("DELETE FROM turns WHERE task = ? AND idx = ?", listed.unturned)
            _insert(connection, sample_mapping.INSERT_TURNS, listed.turns)
        if listed.images:
            insert_images(connection, listed.images)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _delete_scores(connection: sqlite3.Connection, places: list[row_mapping.Row]) -> None:
    """Delete what earlier attempts scored of samples that have no score now."""
    for task_id, listed in groupby(sorted(places), key=itemgetter(0)):
        indices = [index for _, index in listed]
        for start in range(0, len(indices), _MOST_PLACES):
            part = indices[start : start + _MOST_PLACES]
            marks = ",".join("?" * len(part))
            connection.execute(
                f"DELETE FROM sample_scores WHERE task = ? AND idx IN ({marks})",  # noqa: S608  marks
                (task_id, *part),
            )


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
