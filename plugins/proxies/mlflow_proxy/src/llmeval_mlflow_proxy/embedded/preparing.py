"""A process of its own that makes MLflow's tables, as a whole or not at all.

Run as `python -m llmeval_mlflow_proxy.embedded.preparing`, with the database and the root of
artifacts in the environment, which other users of the machine cannot read.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from llmeval_mlflow_proxy.embedded.store import sqlite_uri

STORE_VARIABLE = "LLMEVAL_PREPARE_STORE"
FILE_VARIABLE = "LLMEVAL_PREPARE_FILE"
ARTIFACT_ROOT = "mlflow-artifacts:/"


def main() -> None:
    """Initialise a database; an SQLite file gets its name only when it is complete."""
    from mlflow.store.tracking import sqlalchemy_store  # noqa: PLC0415  heavy

    open_store: Any = sqlalchemy_store.SqlAlchemyStore  # Any: mlflow's classes have no types
    file = os.environ.get(FILE_VARIABLE)
    if file is None:
        open_store(os.environ[STORE_VARIABLE], ARTIFACT_ROOT)
        return
    database = Path(file)
    unfinished = database.with_name(f"{database.name}.new")
    unfinished.unlink(missing_ok=True)
    store = open_store(sqlite_uri(unfinished), ARTIFACT_ROOT)
    store.engine.dispose()
    unfinished.replace(database)


if __name__ == "__main__":
    main()
