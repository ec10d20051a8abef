"""Log lines of llmeval and of plugins, on standard error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llmeval_core.cli.console import echo_error
from llmeval_core.printable import shown

FETCH_LOGGER = "llmeval.fetch"
"""What is logged here as information is shown too: a download that begins, with its licence."""


class ConsoleHandler(logging.Handler):
    """Writes log lines that cannot steer the terminal: they tell what servers and plugins said.

    Attributes:
        write: where to.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_Formatter())
        self.write: Callable[[str], None] = echo_error

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        try:
            self.write(self.format(record))
        except Exception:  # noqa: BLE001  as every handler of `logging`
            self.handleError(record)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = shown(super().format(record))
        return text if record.levelno == logging.INFO else f"{record.levelname}: {text}"


def log_to_console(*, is_debug: bool) -> None:
    """Send warnings of the whole process to standard error, and what is said of downloads.

    Args:
        is_debug: whether all that llmeval itself logs is shown, such as why a plugin is broken.
    """
    logging.basicConfig(handlers=[ConsoleHandler()], level=logging.WARNING)
    logging.getLogger(FETCH_LOGGER).setLevel(logging.INFO)
    if is_debug:
        logging.getLogger("llmeval").setLevel(logging.DEBUG)


@contextmanager
def logs_to(write: Callable[[str], None]) -> Iterator[None]:
    """Send log lines elsewhere while the block lasts, such as above a progress bar."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, ConsoleHandler)]
    before = [handler.write for handler in handlers]
    for handler in handlers:
        handler.write = write
    try:
        yield
    finally:
        for handler, known in zip(handlers, before, strict=True):
            handler.write = known
