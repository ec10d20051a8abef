"""Reading the journal, which may not be there yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmeval_core.hooks import ConfigError
from llmeval_core.library import Reader, existing_journal


@contextmanager
def journal_reader(home: Path) -> Iterator[Reader | None]:
    """Open the journal for reading; None if nothing was ever run. Blocking.

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
