"""The files of a job in `<home>/jobs/<id>/`: its progress and its log.

They change too often for the database. One process writes them, any process may read them.
"""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import BaseModel, ValidationError

from llmeval_core.support import write_atomically
from llmeval_server.jobs.job_records import JobProgress

LARGEST_LOG_BYTES = 5_000_000
"""The size of a full log; later lines are dropped."""
LARGEST_READ_BYTES = 500_000
"""How much of a log is read at a time."""
_LOG_IS_FULL = "the log is full; what follows is not kept\n"
_HEARTBEAT_FILE = "worker.heartbeat"


class ProgressFile(BaseModel):
    """The content of `progress.json`: which attempt, when it started, and its progress."""

    attempt: int
    started_at: float
    progress: JobProgress


class JobFiles:
    """The files of one job; their folder is created by the first write.

    Args:
        home: the server's home folder.
        job_id: the job's id, whose form was checked.
    """

    def __init__(self, home: Path, job_id: str) -> None:
        self._folder = home / "jobs" / job_id
        self._progress = self._folder / "progress.json"
        self._log = self._folder / "log.txt"

    def read_progress(self) -> ProgressFile | None:
        """Read the progress; None if the job never started."""
        try:
            return ProgressFile.model_validate_json(self._progress.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_progress(self, content: ProgressFile) -> None:
        """Replace the progress; a reader sees either the old or the new one.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(self._progress, content.model_dump_json())

    def log(self, offset: int) -> tuple[str, int]:
        """Read whole lines from a byte offset; return them and the offset of their end."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, offset))
                read = file.read(LARGEST_READ_BYTES)
        except FileNotFoundError:
            return "", 0
        end = read.rfind(b"\n") + 1
        return read[:end].decode("utf-8", "replace"), max(0, offset) + end

    def append_to_log(self, line: str) -> None:
        """Append a line with the time before it, unless the log is full.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        with self._log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            size_bytes = file.tell()
            if size_bytes < LARGEST_LOG_BYTES:
                text = f"{stamp} {line}\n"
                room = LARGEST_LOG_BYTES - size_bytes
                file.write(text if len(text.encode("utf-8", "replace")) <= room else _LOG_IS_FULL)


def write_heartbeat(home: Path) -> None:
    """Record that a worker is alive now; needs no disk space once the file exists.

    Raises:
        OSError: the file cannot be written.
    """
    (home / _HEARTBEAT_FILE).touch()


def last_heartbeat(home: Path) -> float | None:
    """Return when a worker last sent a heartbeat, seconds since 1970; None if never."""
    try:
        return (home / _HEARTBEAT_FILE).stat().st_mtime
    except FileNotFoundError:
        return None
