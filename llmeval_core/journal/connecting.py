"""How a connection to the journal's file is opened."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

BUSY_TIMEOUT_S = 30.0
READING_TIMEOUT_S = 5.0


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
