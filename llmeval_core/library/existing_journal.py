"""Opening a journal that must be there."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.errors import ConfigError
from llmeval_core.journal import Journal
from llmeval_core.journal.journal import JOURNAL_FILE


def existing_journal(home: Path) -> Journal:
    """Open a journal that must be there.

    Raises:
        ConfigError: there is none in this folder.
    """
    if not (home / JOURNAL_FILE).exists():
        raise ConfigError(
            f"there is no journal in '{home}'",
            hint="run something first, or name the folder with --home DIR",
        )
    return Journal(home)
