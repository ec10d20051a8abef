"""The database of jobs, which is DBOS's: its URL, its tables and its errors.

Values are stored as JSON. DBOS pickles by default, and unpickling can run code.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS
from dbos import error as dbos_error
from filelock import FileLock

from llmeval_core.hooks import ConfigError
from llmeval_server.job_errors import JobStoreError
from llmeval_server.server_settings import ServerSettings

APPLICATION = "llmeval"
VERSION = "1"
"""The version of stored jobs. DBOS's own version changes with the code, and would strand jobs."""
EXECUTOR = "llmeval-worker"
"""The name of the one worker; a new worker recovers the jobs of a dead one by this name."""
QUEUE = "llmeval-jobs"
WORKFLOW = "llmeval-job"
_DATABASE_FILE = "jobs.sqlite"
_LOCK_WAIT_S = 60.0
_LOCK_POLL_S = 0.2
_WORKER_LOCK = 4_611_686_014  # any number that nothing else in the database uses


def database_url(settings: ServerSettings) -> str:
    """Return the URL for SQLAlchemy.

    Raises:
        ConfigError: `jobs_url` is not one of PostgreSQL.
    """
    if settings.jobs_url is None:
        path = (settings.home / _DATABASE_FILE).absolute()
        return sa.URL.create("sqlite", database=str(path)).render_as_string()
    hint = "write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    try:
        url = sa.make_url(settings.jobs_url.get_secret_value())
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigError("the jobs' URL cannot be read", where="jobs_url", hint=hint) from None
    if url.get_backend_name() not in ("postgresql", "postgres") or not url.database:
        raise ConfigError(
            "the jobs' URL must name a PostgreSQL database", where="jobs_url", hint=hint
        )
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def prepare_database(settings: ServerSettings) -> str:
    """Create or migrate the database and its tables, and return its URL.

    Raises:
        JobStoreError: it cannot be reached or written.
        ConfigError: `jobs_url` is wrong, or needs a package that is not installed.
    """
    url = database_url(settings)
    with store_errors(settings):
        settings.home.mkdir(parents=True, exist_ok=True)
        # Several processes of one server may start at the same time.
        with FileLock(settings.home / "jobs.lock", timeout=_LOCK_WAIT_S):
            if settings.jobs_url is None:
                _use_wal(settings.home / _DATABASE_FILE)
            DBOS.migrate(url)
    return url


def _use_wal(path: Path) -> None:
    """Use write-ahead logging, so that readers and the writer do not block each other."""
    with closing(sqlite3.connect(path, timeout=_LOCK_WAIT_S)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode=WAL")


def count_by_status(engine: sa.Engine) -> dict[str, int]:
    """Count jobs by DBOS's status; its client cannot count, but its table is documented."""
    status = sa.column("status", sa.Text)
    table = sa.table(
        "workflow_status", schema="dbos" if engine.dialect.name == "postgresql" else None
    )
    query = (
        sa.select(status, sa.func.count())
        .select_from(table)
        .where(sa.column("name") == WORKFLOW)
        .group_by(status)
    )
    with engine.connect() as connection:
        return {str(row[0]): int(row[1]) for row in connection.execute(query)}


@contextmanager
def only_worker(url: str, *, wait_s: float) -> Iterator[None]:
    """Lock a PostgreSQL database for one worker; two would run the same jobs.

    A SQLite database lies in the home folder, whose lock is enough.

    Args:
        url: the database.
        wait_s: how long to wait for another worker to end, seconds.

    Raises:
        ConfigError: another worker holds the lock.
    """
    if not url.startswith("postgresql"):
        yield
        return
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    give_up_at = time.monotonic() + wait_s
    with engine.connect() as connection:
        take = sa.select(sa.func.pg_try_advisory_lock(_WORKER_LOCK))
        while not connection.execute(take).scalar():
            if time.monotonic() > give_up_at:
                raise ConfigError(
                    "another worker runs the jobs of this database",
                    where="jobs_url",
                    hint="a database has one worker; give each server a database of its own",
                )
            time.sleep(_LOCK_POLL_S)
        yield
    engine.dispose()


@contextmanager
def store_errors(settings: ServerSettings) -> Iterator[None]:
    """Turn the database's errors into ours, without the password in its URL."""
    try:
        yield
    except ImportError as err:
        raise ConfigError(
            f"jobs in PostgreSQL need a package: {err}",
            where="jobs_url",
            hint="pip install 'llmeval-server[postgresql]'",
        ) from err
    except (sa.exc.SQLAlchemyError, dbos_error.DBOSException, sqlite3.Error, OSError) as err:
        cause = getattr(err, "orig", None) or err
        text = " ".join(str(cause).split()) or type(cause).__name__
        where = settings.home / _DATABASE_FILE if settings.jobs_url is None else "jobs_url"
        raise JobStoreError(
            f"the job store failed: {text}", where=str(where), hint=_hint(text, settings)
        ) from err


def _hint(text: str, settings: ServerSettings) -> str:
    if "full" in text or "No space" in text:
        return "free some disk space"
    if settings.jobs_url is None:
        return "make the folder writable, or choose another with --home DIR"
    return "see whether the PostgreSQL server is up and lets us in"
