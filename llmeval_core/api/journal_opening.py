"""Opening a journal that must be there."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.errors import ConfigError
from llmeval_core.journal import JOURNAL_FILE, Journal, journal_exists


def has_journal(home: Path) -> bool:
    """Say whether there is a journal in this folder.

    Raises:
        JournalError: we may not look.
    """
    return journal_exists(home / JOURNAL_FILE)


def existing_journal(home: Path, *, writing: bool = False) -> Journal:
    """Open a journal that must be there, for reading; or for writing too.

    Raises:
        ConfigError: there is none in this folder.
        JournalError: we may not read it, or not write it.
    """
    if not has_journal(home):
        raise ConfigError(
            f"there is no journal in '{home}'",
            hint="run something first, or name the folder with --home DIR",
        )
    return Journal(home, reading=not writing)
