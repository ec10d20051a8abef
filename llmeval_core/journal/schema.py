"""The journal's tables, and how a connection to them is opened."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.migrating import is_complete, migrated

SCHEMA_VERSION = 5
BUSY_TIMEOUT_S = 30.0
READING_TIMEOUT_S = 5.0
UPGRADE_TIMEOUT_S = 1800.0
_NOT_WRITABLE = ("readonly", "Permission", "Read-only", "unable to", "Not a dir", "File exists")

_TABLES = """
CREATE TABLE IF NOT EXISTS generations (      -- one answered request
    fingerprint BLOB PRIMARY KEY,             -- 16 bytes: model, settings, messages
    mode TEXT NOT NULL,
    messages TEXT,                            -- JSON [[role, content], ...]
    prompt TEXT,
    continuations TEXT,                       -- JSON [text, ...]
    texts TEXT NOT NULL,                      -- JSON [text, ...]
    loglikelihoods TEXT,                      -- JSON [[logprob, n_tokens, is_greedy], ...]
    finish_reason TEXT,
    n_prompt_tokens INTEGER,
    n_completion_tokens INTEGER,
    latency_s REAL NOT NULL,
    served_by TEXT,
    finished_at REAL NOT NULL,
    stop_reasons TEXT,                        -- JSON [word, ...]; this and below: since version 5
    reasonings TEXT,                          -- JSON [text or null, ...]
    n_reasoning_tokens INTEGER,
    refusal TEXT,
    not_sent TEXT                             -- settings that the model refused: name,name,...
);
CREATE TABLE IF NOT EXISTS tasks (            -- one task of one model, by all that decides it
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    key TEXT NOT NULL,
    started_at REAL NOT NULL,
    metrics TEXT NOT NULL DEFAULT '[]',       -- JSON [name, ...]; since version 4
    requests TEXT                             -- its requests_fingerprint; since version 4
);
CREATE TABLE IF NOT EXISTS samples (          -- how one sample of one task ended
    task INTEGER NOT NULL REFERENCES tasks(id),
    idx INTEGER NOT NULL,                     -- place in the data set, from 0
    sample_id TEXT NOT NULL,
    input TEXT NOT NULL,
    reference_texts TEXT,                     -- JSON [text, ...]
    choices TEXT,                             -- JSON [text, ...]
    answer INTEGER,
    category TEXT,
    generation BLOB,                          -- generations.fingerprint
    failure_kind TEXT,
    failure TEXT,
    outcome TEXT NOT NULL DEFAULT 'answered', -- in one word; since version 5
    messages TEXT,                            -- JSON [[role, content], ...] if the input is a
                                              -- conversation, `input` is then empty
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sample_scores (    -- of one sample, in the order of tasks.metrics
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    numbers BLOB NOT NULL,                    -- a float64 each, little-endian; NaN for no value
    grades TEXT NOT NULL,                     -- a character each; see `scores.grades`
    parsed TEXT,                              -- JSON [text or null, ...]; NULL if all are null
    parts TEXT,                               -- JSON [[number, ...], ...]; NULL if all are empty
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rounds (           -- of asking again; since version 5
    requests TEXT NOT NULL,                   -- tasks.requests
    name TEXT NOT NULL,                       -- what is asked again
    begun_at REAL NOT NULL,
    changed_at REAL,                          -- when it last replaced an answer
    PRIMARY KEY (requests, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS results (          -- one finished task, as trackers get it
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    task_fingerprint TEXT NOT NULL,
    model TEXT NOT NULL,
    task TEXT NOT NULL,
    body TEXT NOT NULL                        -- TaskResult as JSON
);
CREATE INDEX IF NOT EXISTS results_by_task ON results (model, task, seq);
CREATE TABLE IF NOT EXISTS plans (            -- what results come from; since version 2
    fingerprint TEXT PRIMARY KEY,
    body TEXT NOT NULL                        -- as `llmeval plan --json` prints it
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trackers (         -- how to make a tracker again, for `llmeval sync`
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL                      -- JSON, as in the run file, `${NAME}` and all
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    result TEXT NOT NULL REFERENCES results(id),
    tracker TEXT NOT NULL,
    state TEXT NOT NULL,                      -- pending, delivered, failed
    reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    location TEXT,
    note TEXT,
    updated_at REAL NOT NULL,
    PRIMARY KEY (tracker, result)
) WITHOUT ROWID;
"""

_INDEXES = """
CREATE INDEX IF NOT EXISTS samples_by_id ON samples (task, sample_id);
CREATE INDEX IF NOT EXISTS samples_by_category ON samples (task, category, idx)
    WHERE category IS NOT NULL;
CREATE INDEX IF NOT EXISTS failed_samples ON samples (task, idx) WHERE failure_kind IS NOT NULL;
CREATE INDEX IF NOT EXISTS samples_by_outcome ON samples (task, outcome, idx)
    WHERE outcome != 'answered';
CREATE INDEX IF NOT EXISTS scores_by_grades ON sample_scores (task, grades, idx);
CREATE INDEX IF NOT EXISTS tasks_by_requests ON tasks (requests);
"""


@contextmanager
def sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with a hint where the cure is known."""
    try:
        yield
    except (sqlite3.Error, OSError) as err:
        raise journal_error(err, path) from err


def journal_error(err: Exception, path: Path) -> JournalError:
    """Say what an SQLite or file system error means for the user."""
    text = str(err)
    hint = None
    if "full" in text or "No space" in text:
        hint = "free some disk space and give the same command again; what is committed is kept"
    elif "unable to open" in text and _is_out_of_files():
        hint = "raise the limit of open files with `ulimit -n`, or lower the concurrency"
    elif any(mark in text for mark in _NOT_WRITABLE):
        hint = "make the folder writable, or choose another with --home DIR"
    elif "locked" in text:
        hint = "another process holds the journal; wait for it, or choose another --home DIR"
    elif "not a database" in text or "malformed" in text:
        hint = "move the file away to begin a new journal"
    return JournalError(f"the journal failed: {text}", where=str(path), hint=hint)


def _is_out_of_files() -> bool:
    """Try to open a file; SQLite does not say why it could not."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as err:
        return err.errno in (errno.EMFILE, errno.ENFILE)
    return False


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection to a journal that uses the log already (`use_log`); patient with others.

    A commit is in SQLite's log, which outlives the process; `flush_log` brings it to disk. The log
    is read back up to its first gap, so what is on disk is always all commits up to some moment.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-8192")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def flush_log(path: Path) -> None:
    """Bring all commits to disk, whatever connection made them.

    Raises:
        OSError: that does not work.
    """
    # Without a log all is in the journal, and on disk.
    with suppress(FileNotFoundError), open(f"{path}-wal", "rb+") as log:
        os.fsync(log.fileno())


def connect_readonly(path: Path, query: str) -> sqlite3.Connection:
    """Open a connection that only reads, with SQLite's own words for how: `mode=ro`."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}",
        uri=True,
        timeout=READING_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA cache_size=-8192")
    return connection


def use_log(connection: sqlite3.Connection) -> None:
    """Have commits written to a log (WAL) beside the file, which the file then remembers.

    Of a new file only one process can do that, and SQLite does not let the others wait.
    """
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as err:
            if err.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables that are missing, or check that they are of a version we know.

    Raises:
        JournalError: the journal was written by a newer llmeval.
    """
    version = version_of(connection)
    refuse_newer(version, path)
    if is_current(connection, version):
        return
    # Another process may be rewriting an older journal, which takes longer than a commit.
    connection.execute(f"PRAGMA busy_timeout={UPGRADE_TIMEOUT_S * 1000:.0f}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have made the tables while we waited.
        version = version_of(connection)
        with migrated(connection, version):
            for statement in (_TABLES + _INDEXES).split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")


def is_current(connection: sqlite3.Connection, version: int) -> bool:
    """Whether a journal of this version can be used as it is."""
    return version == SCHEMA_VERSION and is_complete(connection)


def version_of(connection: sqlite3.Connection) -> int:
    """Read the version of the tables; 0 if there are none yet."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def refuse_newer(version: int, path: Path) -> None:
    """Check that we know the version of a journal.

    Raises:
        JournalError: the journal was written by a newer llmeval.
    """
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"the journal has version {version}, this llmeval knows {SCHEMA_VERSION}",
            where=str(path),
            hint="upgrade llmeval-core, or choose another folder with --home DIR",
        )
