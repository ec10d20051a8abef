"""What foreign code does to the process is undone: another folder, other signal handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

THREAD_NAME = "llmeval-work"
"""What the names of threads begin with in which plugins do blocking work."""

_SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE")
    if hasattr(signal, name)  # Windows lacks some
)


def current_folder() -> str | None:
    """Return the current folder; None if it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def return_to(folder: str | None) -> None:
    """Make a folder the current one again, if foreign code went elsewhere.

    Paths in a run file are relative to it, and may be opened at any time.
    """
    if folder is not None and current_folder() != folder:
        with suppress(OSError):  # it was deleted; whoever needs it will say so
            os.chdir(folder)


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What foreign code must leave as it is: the current folder and the signal handlers.

    Ctrl-C and the end of a service are answered by us, whatever a plugin installs.
    """

    folder: str | None
    handlers: dict[int, Any]  # Any: a function, a constant, or None for one that C code set

    @classmethod
    def now(cls) -> ProcessState:
        """Take down how it is."""
        return cls(current_folder(), {number: signal.getsignal(number) for number in _SIGNALS})

    def restore(self) -> None:
        """Put it back; signal handlers only in the main thread, where alone they can be changed."""
        return_to(self.folder)
        if threading.current_thread() is not threading.main_thread():
            return
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


@contextmanager
def contained() -> Iterator[None]:
    """Put the current folder and the signal handlers back after the block."""
    state = ProcessState.now()
    try:
        yield
    finally:
        state.restore()
