"""The log of one job: lines about it, and the log messages of the code that runs it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from llmeval_server.jobs.job_files import JobFiles

_LOGGERS = ("llmeval",)
"""Loggers whose messages are for users; those of libraries are only in the server's log."""


class JobLog(logging.Handler):
    """Writes a job's log without secrets; lines that cannot be written are dropped.

    Args:
        files: the job's files.
        redact: removes secrets from a text.
        current: the id of the job for which the current code runs.
        job_id: the id of this log's job.
    """

    def __init__(
        self,
        files: JobFiles,
        redact: Callable[[str], str],
        *,
        current: ContextVar[str | None],
        job_id: str,
    ) -> None:
        super().__init__(logging.INFO)
        self._files = files
        self._redact = redact
        self._current = current
        self._job_id = job_id

    def write(self, text: str) -> None:
        """Write one or more lines."""
        with contextlib.suppress(OSError):
            for line in self._redact(text).splitlines():
                self._files.append_to_log(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record of the code that runs for this job."""
        if self._current.get() == self._job_id:
            level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
            self.write(level + record.getMessage())

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Receive log records while the block runs."""
        token = self._current.set(self._job_id)
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)
            self._current.reset(token)
