"""Read access to the journal, which does not exist before the first run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_core.api import JournalQueries, existing_journal
from llmeval_core.hooks import ConfigError


@contextmanager
def journal_reader(home: Path) -> Iterator[JournalQueries | None]:
    """Open the journal for reading; None if there is none yet. Blocking.

    Raises:
        JournalError: it cannot be read.
    """
    try:
        journal = existing_journal(home)
    except ConfigError:
        yield None
        return
    with journal, journal.reader() as reader:
        yield reader
