"""The tracker: appends results to a file, in a thread."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from filelock import Timeout

from llmeval_core.hooks import (
    Readiness,
    Receipt,
    RunInfo,
    TaskResult,
    TrackerError,
    expand_path,
    file_problem,
)
from llmeval_jsonl_tracker.result_file import ResultFile, foreign_problem

DEFAULT_FILE = "results.jsonl"


class JsonlTracker:
    """Appends each result as one line: the `TaskResult`, and `delivered_at` (ISO 8601, UTC).

    Args:
        path: the file; None for `results.jsonl` in the project's folder.
    """

    keeps_all = True

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: ResultFile | None = None

    def check(self, home: Path) -> Readiness:
        """Look whether the file could be written.

        Raises:
            TrackerError: it could not.
        """
        file = self._file_in(home)
        if self._path is not None and (problem := file_problem(file) or foreign_problem(file)):
            raise self._refusal(file, problem)
        return Readiness()

    async def open(self, run: RunInfo) -> None:
        """Choose the file; it is made by the first delivery.

        Raises:
            TrackerError: there is something else than results.
        """
        path = self._file_in(run.home)
        if problem := await asyncio.to_thread(foreign_problem, path):
            raise self._refusal(path, problem)
        self._file = ResultFile(path)

    async def deliver(self, result: TaskResult) -> Receipt:
        """Append one result, unless the file has it already.

        Raises:
            TrackerError: the file cannot be written now.
        """
        file = self._file
        if file is None:
            raise TrackerError("the jsonl tracker is not open")
        delivered_at = datetime.now(UTC).isoformat(timespec="seconds")
        line = f'{result.model_dump_json()[:-1]},"delivered_at":"{delivered_at}"}}'
        try:
            await asyncio.to_thread(file.append, result.id, line)
        except Timeout as err:
            raise TrackerError(f"another process keeps {file.path} locked") from err
        except OSError as err:
            raise self._refusal(file.path, err) from err
        return Receipt(str(file.path))

    async def close(self) -> None:
        """Do nothing: the file is open only while a line is written."""

    def _file_in(self, home: Path) -> Path:
        path = self._path if self._path is not None else home / DEFAULT_FILE
        return expand_path(path).absolute()

    def _refusal(self, path: Path, err: OSError) -> TrackerError:
        return TrackerError(
            f"cannot append to {path}: {err.strerror or err}",
            hint="make it writable, or set the tracker's path to another file",
        )
