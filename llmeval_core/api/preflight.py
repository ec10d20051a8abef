"""What is looked at before a plan is made: the project's folder, and what a run would need."""

from __future__ import annotations

from pathlib import Path

from llmeval_core.api.journal_opening import has_journal
from llmeval_core.catalog import Preflight
from llmeval_core.journal import Journal, JournalQueries, home_problem


def preflight_of_run(home: Path) -> Preflight:
    """Check the folder, and say how models and trackers are asked for a run that begins now.

    Raises:
        JournalError: the folder or the journal cannot be written.
    """
    if not has_journal(home):
        if problem := home_problem(home):
            raise problem
        return Preflight(home, must_be_ready=True)
    with Journal(home) as journal:
        answered = {task.model for task in journal.read(JournalQueries.tasks)}
    return Preflight(home, must_be_ready=True, has_answers=answered.__contains__)


def preflight_of_plan(home: Path) -> Preflight:
    """Say how models and trackers are asked for a run that may come: what they lack is noted."""
    return Preflight(home, must_be_ready=False)
