"""A tracker: a CSV file with one line a number."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import Field

from llmeval_core.hooks import (
    Component,
    Receipt,
    RunInfo,
    Settings,
    TaskResult,
    Tracker,
    TrackerError,
    hookimpl,
)
from llmeval_core.support import atomic_draft

_HEADER = ["result", "model", "key", "value"]


class CsvFileSettings(Settings):
    """What a user can set."""

    path: Path = Field(default=Path("results.csv"), description="The file.")


class CsvFileTracker:
    """Adds results to a file; the same result again changes nothing.

    A lock on a file beside it lets only one writer in at a time, of any process.
    """

    def __init__(self, settings: CsvFileSettings) -> None:
        self._path = settings.path

    async def open(self, run: RunInfo) -> None:
        """Do nothing; the file is opened for each result."""

    async def deliver(self, result: TaskResult) -> Receipt:
        """Add a result; blocking work goes to a thread.

        Raises:
            TrackerError: the file cannot be read or written; the result comes again later.
        """
        try:
            await asyncio.to_thread(self._add, result)
        except (OSError, ValueError, csv.Error) as err:
            raise TrackerError(f"cannot write '{self._path}': {err}") from err
        return Receipt(location=str(self._path))

    async def close(self) -> None:
        """Do nothing; no file is left open."""

    def _add(self, result: TaskResult) -> None:
        """Put a new file in the place of the old: a crash leaves one or the other."""
        with FileLock(f"{self._path}.lock"):
            rows = self._rows()
            if any(row[:1] == [result.id] for row in rows):
                return
            for metric in result.metrics:
                value = metric.aggregate.value
                shown = "" if value is None else str(value)
                rows.append([result.id, result.model, metric.key, shown])
            with (
                atomic_draft(self._path) as draft,
                draft.open("w", encoding="utf-8", newline="") as file,
            ):
                csv.writer(file).writerows(rows)

    def _rows(self) -> list[list[str]]:
        if not self._path.exists():
            return [_HEADER]
        with self._path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file))


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:
    """Offer the tracker; Any: its settings."""
    yield Component("csv_file", CsvFileSettings, CsvFileTracker, "a CSV file", argument="path")
