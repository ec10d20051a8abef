"""One job's log: what is said of it, and what libraries warn about while it runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from llmeval_server.jobs.files import JobFiles

_SAID_BY = ("llmeval",)
"""Loggers whose messages are for users; those of other libraries are only in the server's log."""


class JobLog(logging.Handler):
    """Writes lines without secrets; a disk without room for them stops nothing.

    Args:
        files: where the log is.
        redact: takes secrets out of a text.
        current: which job the code that logs works for.
        job_id: of this log.
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

    def say(self, text: str) -> None:
        """Write some lines."""
        with contextlib.suppress(OSError):
            for line in self._redact(text).splitlines():
                self._files.append_to_log(line)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message of the code that works for this job."""
        if self._current.get() == self._job_id:
            level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
            self.say(level + record.getMessage())

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear what is logged while the block runs."""
        token = self._current.set(self._job_id)
        loggers = [logging.getLogger(name) for name in _SAID_BY]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)
            self._current.reset(token)
