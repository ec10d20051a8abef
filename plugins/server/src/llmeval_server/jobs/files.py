"""What a job keeps as files in `<home>/jobs/<id>/`: its progress and its log.

They change often, so the database is spared. One process writes them, any may read.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from pydantic import BaseModel, ValidationError

from llmeval_server.jobs.records import JobProgress

LARGEST_LOG_BYTES = 5_000_000
"""What is said beyond this is not kept."""
LARGEST_READ_BYTES = 500_000
"""How much of a log is read at once."""
_FULL = "the log is full; what follows is not kept\n"
_ALIVE_FILE = "worker.alive"


class Stage(BaseModel):
    """What `progress.json` holds: of which attempt it is, since when, and how far."""

    attempt: int
    started_at: float
    progress: JobProgress


class JobFiles:
    """The files of one job; made when the first is written.

    Args:
        home: the project's folder for llmeval's own files.
        job_id: which job; must have the form of an id.
    """

    def __init__(self, home: Path, job_id: str) -> None:
        self._folder = home / "jobs" / job_id
        self._progress = self._folder / "progress.json"
        self._log = self._folder / "log.txt"

    def stage(self) -> Stage | None:
        """Read how far the job is; None if it never started."""
        try:
            return Stage.model_validate_json(self._progress.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_stage(self, stage: Stage) -> None:
        """Replace how far the job is; a reader sees the old or the new.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._progress.with_suffix(".new")
        draft.write_text(stage.model_dump_json(), encoding="utf-8")
        os.replace(draft, self._progress)

    def log(self, offset: int) -> tuple[str, int]:
        """Read whole lines from a byte offset, and tell where they end."""
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, offset))
                read = file.read(LARGEST_READ_BYTES)
        except FileNotFoundError:
            return "", 0
        end = read.rfind(b"\n") + 1
        return read[:end].decode("utf-8", "replace"), max(0, offset) + end

    def append_to_log(self, line: str) -> None:
        """Add a line with the time of day before it, unless the log is full.

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
                file.write(text if len(text.encode("utf-8", "replace")) <= room else _FULL)


def give_sign_of_life(home: Path) -> None:
    """Note that a worker is alive now; needs no room on the disk once the file is there.

    Raises:
        OSError: it cannot be noted.
    """
    (home / _ALIVE_FILE).touch()


def worker_seen_at(home: Path) -> float | None:
    """Tell when a worker last gave a sign of life, seconds since 1970; None if never."""
    try:
        return (home / _ALIVE_FILE).stat().st_mtime
    except FileNotFoundError:
        return None
