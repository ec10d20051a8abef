"""The experiment that holds the runs: made if missing, restored if deleted."""

from __future__ import annotations

from typing import Any

from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.refusals import RefusedError


def ensure_experiment(session: Session, name: str, *, artifacts: str | None) -> Any:
    """Return an active experiment with this name.

    A deleted experiment keeps its name for ever in MLflow, so it is restored.

    Any: mlflow's experiment has no useful type information.

    Args:
        session: how to ask.
        name: the experiment's name.
        artifacts: where a new experiment keeps its artifacts; None leaves it to the server.

    Raises:
        RefusedError: MLflow does not let us.
    """
    found = session.call("get_experiment_by_name", name)
    if found is None:
        try:
            made = session.call_once("create_experiment", name, artifact_location=artifacts)
            return session.call("get_experiment", made)
        except RefusedError:
            found = session.call("get_experiment_by_name", name)  # another was faster
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        try:
            session.call("restore_experiment", found.experiment_id)
        except RefusedError:
            if session.call("get_experiment", found.experiment_id).lifecycle_stage != "active":
                raise
    return found
