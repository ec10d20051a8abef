"""The server's log: one file that all its processes write, and short lines on the terminal."""

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
"""The size at which the file is rotated; one older file is kept."""
DELIVERY_LOGGER = "llmeval.delivery"
"""The logger of deliveries to trackers."""
_READ_BYTES = 1_000_000
_POLL_S = 0.5
_JOIN_S = 1.0

Redact = Callable[[str], str]


def start_logging(home: Path, process: str, redact: Redact) -> None:
    """Send this process's log messages to the server's log and to standard error.

    Args:
        home: the folder of the log.
        process: the name of this process in the log.
        redact: removes secrets from a line.
    """
    home.mkdir(parents=True, exist_ok=True)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(
        _RedactingFormatter("%(asctime)s %(levelname)s %(message)s", redact, "%H:%M:%S")
    )
    log_file = SharedLogHandler(home / LOG_FILE)
    log_file.setFormatter(
        _RedactingFormatter(f"%(asctime)s %(levelname)s {process} %(name)s: %(message)s", redact)
    )
    logging.basicConfig(level=logging.WARNING, handlers=[terminal, log_file], force=True)
    logging.captureWarnings(True)  # noqa: FBT003  the library's signature
    logging.getLogger("llmeval").setLevel(logging.INFO)


class _RedactingFormatter(logging.Formatter):
    """Formats a record without the secrets in its message and traceback."""

    def __init__(self, fmt: str, redact: Redact, datefmt: str | None = None) -> None:
        super().__init__(fmt, datefmt)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record, with its traceback."""
        return self._redact(super().format(record))


class SharedLogHandler(logging.handlers.WatchedFileHandler):
    """Writes a log file that several processes share, and rotates it when it is too large.

    The base class notices when another process rotated it. Lines that cannot be written, because
    the disk is full say, are dropped.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace", delay=True)
        self._path = path
        self._lock_file = FileLock(path.with_name(f"{path.name}.lock"))  # not the server.lock

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            with self._lock_file:
                if self._path.exists() and self._path.stat().st_size > LARGEST_BYTES:
                    os.replace(self._path, _older(self._path))
                super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the base class's
        """Drop the record."""


def log_lines(home: Path, word: str, *, at_most: int = 200) -> list[str]:
    """Return the newest lines of the log that contain a word, in any case; oldest first."""
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


class DeliveryLogFollower:
    """Repeats the lines about deliveries that other processes write to the log.

    Args:
        home: the folder of the log.
        process: the name of this process, whose own lines are not repeated.
        show: called with each line.
    """

    def __init__(self, home: Path, process: str, show: Callable[[str], object]) -> None:
        self._path = home / LOG_FILE
        self._process = process
        self._show = show
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="delivery log", daemon=True)

    def start(self) -> None:
        """Start to follow the log from its present end."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ask it to stop; returns at once."""
        self._stopping.set()

    def kill(self) -> None:
        """Ask it to stop; returns at once."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop and wait, but no longer than a second for a terminal that blocks."""
        self._stopping.set()
        self._thread.join(_JOIN_S)

    def _follow(self) -> None:
        offset, inode = _size_and_inode(self._path)
        while not self._stopping.wait(_POLL_S):
            end, now = _size_and_inode(self._path)
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


def _size_and_inode(path: Path) -> tuple[int, int]:
    """Return a file's size and inode; zeros if it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_ino
