"""Where a journal is in a project's folder, and whether it could be made or written there."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.errors import JournalError
from llmeval_core.journal.sqlite_errors import journal_error
from llmeval_core.paths import folder_problem

JOURNAL_FILE = "journal.sqlite"


def home_problem(home: Path) -> JournalError | None:
    """Say why a journal could not be kept in this folder; None if it could. Makes nothing.

    Args:
        home: the project's folder for llmeval's own files; it need not be there yet.
    """
    problem = folder_problem(home)
    return None if problem is None else journal_error(problem, home / JOURNAL_FILE)
