"""The tags that depend on all results of a run: its description and MLflow's list of tables.

Metrics and most tags belong to one result each. Of two writers that read a run at the same moment
and write a shared tag, the second overwrites what the first has added. So each writer checks the
shared tags once more when it closes, and again after each repair: the last one to write has seen
everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_mlflow_tracker.description import write_description
from llmeval_mlflow_tracker.entities import tag_entities
from llmeval_mlflow_tracker.metric_points import MetricPoint, latest_points
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.table import logged_tables
from llmeval_mlflow_tracker.tags import DESCRIPTION_TAG, TABLES_TAG

_MAX_REPAIRS = 5


def expected_shared_tags(
    points: Mapping[str, MetricPoint], tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the values that the shared tags of a run in this state should have."""
    shared = {DESCRIPTION_TAG: write_description(points, tags)}
    tables = logged_tables(tags.get(TABLES_TAG, ""), tags)
    if tables != "[]":
        shared[TABLES_TAG] = tables
    return shared


def repair_shared_tags(session: DeadlineSession, run_id: str) -> None:
    """Rewrite the shared tags of a run until they have the values that they should have.

    Raises:
        MlflowError: MLflow refused; the next delivery to the run repairs them too.
    """
    for _ in range(_MAX_REPAIRS):
        run = session.call("get_run", run_id)
        tags = run.data.tags
        wrong = {
            key: text
            for key, text in expected_shared_tags(latest_points(run), tags).items()
            if tags.get(key) != text
        }
        if not wrong:
            return
        session.call("log_batch", run_id, tags=tag_entities(session, wrong), synchronous=True)
