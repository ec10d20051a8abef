"""Putting right, at the end, what writers at the same moment may have written over each other.

Metrics and most tags belong to one result each. The description and MLflow's list of tables are
made of all of them: of two writers that read at the same moment the second undoes the first. So
whoever wrote to a run looks once more, and again after each repair. The last one to write has
then seen everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.note import write_note
from llmeval_mlflow_tracker.overwrite import Point, latest_points
from llmeval_mlflow_tracker.table import logged_tables
from llmeval_mlflow_tracker.tags import NOTE_TAG, TABLES_TAG
from llmeval_mlflow_tracker.wire import tag_entities

_MAX_REPAIRS = 5


def shared_tags(points: Mapping[str, Point], tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that depend on the whole run, as they should be."""
    shared = {NOTE_TAG: write_note(points, tags)}
    tables = logged_tables(tags.get(TABLES_TAG, ""), tags)
    if tables != "[]":
        shared[TABLES_TAG] = tables
    return shared


def settle(session: Session, run_id: str) -> None:
    """Repair the shared tags of a run until they are right.

    Raises:
        RefusedError: MLflow refused; the next delivery repairs them too.
    """
    for _ in range(_MAX_REPAIRS):
        run = session.call("get_run", run_id)
        tags = run.data.tags
        wrong = {
            key: text
            for key, text in shared_tags(latest_points(run), tags).items()
            if tags.get(key) != text
        }
        if not wrong:
            return
        session.call("log_batch", run_id, tags=tag_entities(session, wrong), synchronous=True)
