"""The log of a server: one file that all its processes write, and short lines on the terminal."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

LOG_FILE = "server.log"
LARGEST_BYTES = 5_000_000
"""When a new file is begun; one older file is kept."""
DELIVERY_LOGGER = "llmeval.delivery"
"""Who tells what trackers do."""
_READ_BYTES = 1_000_000
_FOLLOW_EVERY_S = 0.5
_END_S = 1.0

Redact = Callable[[str], str]


def start_logging(home: Path, process: str, redact: Redact) -> None:
    """Write what is logged in this process to the log and to standard error.

    Args:
        home: the folder of the log.
        process: how this process is called there.
        redact: takes secrets out of a line.
    """
    home.mkdir(parents=True, exist_ok=True)
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_Redacted("%(asctime)s %(levelname)s %(message)s", redact, "%H:%M:%S"))
    kept = SharedLogFile(home / LOG_FILE)
    kept.setFormatter(
        _Redacted(f"%(asctime)s %(levelname)s {process} %(name)s: %(message)s", redact)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[shown, kept], force=True)
    logging.captureWarnings(True)  # noqa: FBT003  the library's signature
    logging.getLogger("llmeval").setLevel(logging.INFO)


class _Redacted(logging.Formatter):
    """Takes secrets out of a message and its traceback."""

    def __init__(self, form: str, redact: Redact, date_form: str | None = None) -> None:
        super().__init__(form, date_form)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines."""
        return self._redact(super().format(record))


class SharedLogFile(logging.handlers.WatchedFileHandler):
    """A log file that several processes write; who finds it too large begins a new one.

    The base class notices that somebody else began a new one. A disk without room costs lines.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self._path = path
        self._turn = FileLock(path.with_name(f"{path.name}.lock"))  # not the server.lock

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        try:
            with self._turn:
                if self._path.exists() and self._path.stat().st_size > LARGEST_BYTES:
                    os.replace(self._path, _older(self._path))
                super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the base class's
        """Lose the line."""


def log_lines(home: Path, word: str, *, at_most: int = 200) -> list[str]:
    """Give the newest lines of the log that have a word in them, in any case; oldest first."""
    path = home / LOG_FILE
    found: list[str] = []
    for file in (_older(path), path):
        text = _tail(file)
        found += [line for line in text.splitlines() if word.lower() in line.lower()]
    return found[-at_most:]


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - _READ_BYTES))
            return opened.read().decode("utf-8", "replace")
    except OSError:
        return ""


class DeliveryLines:
    """Repeats what other processes log of trackers, so that it can be seen here too.

    Args:
        home: the folder of the log.
        process: ours, whose lines are not repeated.
        show: is given each line.
    """

    def __init__(self, home: Path, process: str, show: Callable[[str], object]) -> None:
        self._path = home / LOG_FILE
        self._process = process
        self._show = show
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="delivery lines", daemon=True)

    def start(self) -> None:
        """Begin with what is logged from now on."""
        self._thread.start()

    def end_soon(self) -> None:
        """Tell it to stop; returns at once."""
        self._ended.set()

    def hurry(self) -> None:
        """Do the same: there is nothing that takes time."""
        self._ended.set()

    def stop(self) -> None:
        """Stop and wait for it, but not for a terminal that takes no more lines."""
        self._ended.set()
        self._thread.join(_END_S)

    def _follow(self) -> None:
        offset, inode = _end_of(self._path)
        while not self._ended.wait(_FOLLOW_EVERY_S):
            end, now = _end_of(self._path)
            if now != inode:
                offset, inode = 0, now
            if end > offset:
                offset += self._repeat(offset)

    def _repeat(self, offset: int) -> int:
        try:
            with self._path.open("rb") as opened:
                opened.seek(offset)
                read = opened.read(_READ_BYTES)
        except OSError:
            return 0
        whole = read[: read.rfind(b"\n") + 1]
        for line in whole.decode("utf-8", "replace").splitlines():
            if (
                f" {DELIVERY_LOGGER}: " in line
                and f" {self._process} {DELIVERY_LOGGER}" not in line
            ):
                self._show(line)
        return len(whole)


def _end_of(path: Path) -> tuple[int, int]:
    """Tell how long a file is, and which; zeros if it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_ino
