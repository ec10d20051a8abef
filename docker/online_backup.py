"""Copy the SQLite databases of a folder while they are in use, into `backup/` inside it.

    python docker/online_backup.py .llmeval
    docker compose exec -T worker python - /var/lib/llmeval/home < docker/online_backup.py

Each copy is whole and consistent by itself, however much is written meanwhile. Needs nothing but
Python.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

MAGIC = b"SQLite format 3\0"


def main(folder: Path) -> None:
    """Copy them all, and say which."""
    target = folder / "backup"
    target.mkdir(exist_ok=True)
    for database in databases(folder):
        draft, copy = target / f"{database.name}.new", target / database.name
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(draft)) as to:
            source.execute("PRAGMA busy_timeout = 60000")
            source.backup(to)
            to.execute("PRAGMA journal_mode = DELETE")
        os.replace(draft, copy)
        sys.stdout.write(f"{copy}: {copy.stat().st_size:,} bytes\n")


def databases(folder: Path) -> Iterator[Path]:
    """Find the databases right in the folder."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                if file.read(len(MAGIC)) == MAGIC:
                    yield path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
