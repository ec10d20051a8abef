"""Whether a journal could be made or written in a folder, found out without making anything."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.sqlite_errors import journal_error
from llmeval_core.paths import folder_problem


def home_problem(home: Path, journal: Path) -> JournalError | None:
    """Say why the journal could not be kept in this folder; None if it could.

    Args:
        home: the project's folder for llmeval's own files; it need not be there yet.
        journal: the journal in it, for the error.
    """
    problem = folder_problem(home)
    return None if problem is None else journal_error(problem, journal)
