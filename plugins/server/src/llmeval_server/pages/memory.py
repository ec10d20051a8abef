"""What the pages read in the journal, which may not be there yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_core.api import JournalQueries, existing_journal
from llmeval_core.hooks import ConfigError, TaskResult


class Memory:
    """Opens the journal for a page, and keeps its results while no new one comes.

    Args:
        home: the folder of the journal.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._seen = 0
        self._results: tuple[TaskResult, ...] = ()

    @contextmanager
    def reader(self) -> Iterator[JournalQueries | None]:
        """Open the journal; None if there is none yet.

        Raises:
            JournalError: it cannot be read.
        """
        try:
            journal = existing_journal(self._home)
        except ConfigError:  # before the first run
            yield None
            return
        with journal, journal.reader() as reader:
            yield reader

    def results(self) -> tuple[TaskResult, ...]:
        """Return all results, oldest first.

        Raises:
            JournalError: the journal cannot be read.
        """
        with self.reader() as reader:
            if reader is None:
                return ()
            n_results = reader.n_results()
            with self._lock:
                if n_results == self._seen:
                    return self._results
            results = tuple(reader.results())
        with self._lock:
            self._seen, self._results = n_results, results
        return results
