"""A process that creates MLflow's tables, all of them or none.

Run as `python -m llmeval_mlflow_proxy.embedded.table_setup`, with the database and the root of
artifacts in the environment, which other users of the machine cannot read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from llmeval_core.support import atomic_draft
from llmeval_mlflow_proxy.embedded.backend_store import sqlite_uri

STORE_VARIABLE = "LLMEVAL_PREPARE_STORE"
FILE_VARIABLE = "LLMEVAL_PREPARE_FILE"
LOCK_VARIABLE = "LLMEVAL_PREPARE_LOCK"
ARTIFACT_ROOT = "mlflow-artifacts:/"


def main() -> None:
    """Initialise a database, unless the tracker has just done so."""
    # Importing MLflow takes longer than creating its tables; the lock is for the tables alone.
    from mlflow.store.tracking import sqlalchemy_store  # noqa: PLC0415  heavy

    open_store: Any = sqlalchemy_store.SqlAlchemyStore  # Any: mlflow's classes have no types
    file = os.environ.get(FILE_VARIABLE)
    with FileLock(os.environ[LOCK_VARIABLE]):
        if file is None:
            open_store(os.environ[STORE_VARIABLE], ARTIFACT_ROOT)
        elif not has_tables(Path(file)):
            _create_file(Path(file), open_store)


def has_tables(database: Path) -> bool:
    """Whether this SQLite file has been created; the caller holds its lock."""
    return database.exists() and database.stat().st_size > 0


def _create_file(database: Path, open_store: Any) -> None:
    """Create an SQLite file that gets its name only when it is complete; Any: as above."""
    with atomic_draft(database) as draft:
        store = open_store(sqlite_uri(draft), ARTIFACT_ROOT)
        store.engine.dispose()


if __name__ == "__main__":
    main()
