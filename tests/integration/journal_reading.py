"""What a project's journal has while a run goes on, or after it was killed."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any


def journal_rows(folder: Path, query: str) -> list[Any]:
    """Read rows of a project's journal, as another process would; Any: a row of the query.

    Returns:
        The rows; none if the run was killed before the tables were made.
    """
    path = folder / ".llmeval" / "journal.sqlite"
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()
