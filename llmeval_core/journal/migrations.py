"""How a journal of an older version becomes one of the newest: an ordered list of migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.connecting import BUSY_TIMEOUT_S
from llmeval_core.journal.score_migration import migrate_scores
from llmeval_core.journal.table_definitions import INDEXES, TABLES, execute_script

UPGRADE_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Migration:
    """From the version before to this one.

    Args:
        version: the version of the journal afterwards.
        what: what changed.
        tables: tables that are new in it.
        columns: columns that are new in it: table, name and definition.
        rewrite: changes the rows that are there; called once, when tables and columns are made.
    """

    version: int
    what: str
    tables: tuple[str, ...] = ()
    columns: tuple[tuple[str, str, str], ...] = ()
    rewrite: Callable[[sqlite3.Connection], None] | None = None


def _find_outcomes(connection: sqlite3.Connection) -> None:
    """Say how samples ended, by what older versions knew: why the first answer ended."""
    connection.execute(
        "UPDATE samples SET outcome = CASE failure_kind WHEN 'metric' THEN 'unscored'"
        " ELSE 'failed' END WHERE failure_kind IS NOT NULL"
    )
    connection.execute(
        "UPDATE samples SET outcome = CASE lower(finish_reason) WHEN 'content_filter'"
        " THEN 'filtered' WHEN 'refusal' THEN 'refused' ELSE 'truncated' END FROM generations"
        " WHERE generations.fingerprint = samples.generation AND failure_kind IS NULL"
        " AND mode != 'loglikelihood'"
        " AND lower(finish_reason) IN ('length', 'max_tokens', 'content_filter', 'refusal')"
    )


MIGRATIONS = (
    Migration(2, "what results come from is kept", tables=("plans",)),
    Migration(3, "indexes lead to samples by id, by category and to failed ones"),
    Migration(
        4,
        "the scores of a sample stand in one row; tasks that ask the same find each other",
        tables=("sample_scores",),
        columns=(
            ("tasks", "metrics", "TEXT NOT NULL DEFAULT '[]'"),
            ("tasks", "requests", "TEXT"),
        ),
        rewrite=migrate_scores,
    ),
    Migration(
        5,
        "each sample has an outcome; reasoning, refusals and conversations are kept",
        tables=("rounds",),
        columns=(
            ("generations", "stop_reasons", "TEXT"),
            ("generations", "reasonings", "TEXT"),
            ("generations", "n_reasoning_tokens", "INTEGER"),
            ("generations", "refusal", "TEXT"),
            ("generations", "not_sent", "TEXT"),
            ("samples", "outcome", "TEXT NOT NULL DEFAULT 'answered'"),
            ("samples", "messages", "TEXT"),
        ),
        rewrite=_find_outcomes,
    ),
    Migration(
        6,
        "samples may have several turns, messages may have images, models may call tools",
        tables=("attachments", "turns"),
        columns=(
            ("generations", "extras", "TEXT"),
            ("generations", "tool_calls", "TEXT"),
            ("generations", "parent", "BLOB"),
            ("sample_scores", "details", "TEXT"),
        ),
    ),
    Migration(
        7,
        "a sample that one metric cannot score keeps the scores of the others",
        columns=(("samples", "metric_failures", "TEXT"),),
    ),
)
"""Each begins where the one before ended; version 1 is the first."""

SCHEMA_VERSION = MIGRATIONS[-1].version


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables, or migrate those of an older version.

    All in one transaction: a process that dies meanwhile leaves the old journal.

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
        execute_script(connection, TABLES)
        if version:
            _migrate(connection, version)
        execute_script(connection, INDEXES)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Apply what a journal of this version lacks; it may have been written between two releases."""
    for migration in MIGRATIONS:
        for table, column, definition in _missing_columns(connection, migration):
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
        if migration.version > version and migration.rewrite is not None:
            migration.rewrite(connection)


def is_current(connection: sqlite3.Connection, version: int) -> bool:
    """Whether a journal of this version can be used as it is.

    One that was written between two releases may lack tables or columns of its version.
    """
    if version != SCHEMA_VERSION:
        return False
    wanted = {table for migration in MIGRATIONS for table in migration.tables}
    found = {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    }
    return wanted <= found and not any(
        _missing_columns(connection, migration) for migration in MIGRATIONS
    )


def _missing_columns(
    connection: sqlite3.Connection, migration: Migration
) -> list[tuple[str, str, str]]:
    found = {
        (table, name)
        for table in sorted({table for table, _, _ in migration.columns})
        for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    }
    return [column for column in migration.columns if column[:2] not in found]


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
