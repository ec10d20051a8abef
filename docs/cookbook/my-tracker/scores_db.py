"""A tracker that keeps the newest value of each number in a table of your own database."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from pydantic import Field

from llmeval_core.hooks import Component, Receipt, Settings, TrackerError, hookimpl

TABLES = """
CREATE TABLE IF NOT EXISTS results (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS scores (
    model TEXT, key TEXT, value REAL, n INTEGER, finished_at REAL, PRIMARY KEY (model, key)
);
"""


class ScoresDbSettings(Settings):
    path: Path = Field(default=Path("scores.db"), description="The SQLite file.")


class ScoresDb:
    def __init__(self, settings):
        self.path = settings.path

    async def open(self, run):
        pass

    async def deliver(self, result):
        try:
            await asyncio.to_thread(self._write, result)
        except sqlite3.Error as err:
            raise TrackerError(f"cannot write '{self.path}': {err}") from err
        return Receipt(location=str(self.path))

    async def close(self):
        pass

    def _write(self, result):
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
            database.executescript(TABLES)
            new = database.execute("INSERT OR IGNORE INTO results VALUES (?)", (result.id,))
            if new.rowcount == 0:
                return  # it came before: maybe something newer stands there by now
            for metric in result.metrics:
                value = metric.aggregate.value
                if value is not None:  # None is unknown, and never a 0
                    row = (result.model, metric.key, value, result.n_samples, result.finished_at)
                    database.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?)", row)


@hookimpl
def llmeval_register_trackers():
    yield Component("scores_db", ScoresDbSettings, ScoresDb, "a table of scores", argument="path")
