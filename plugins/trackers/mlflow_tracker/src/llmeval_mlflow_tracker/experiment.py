"""The experiment of the runs: created if it is missing, restored if it is deleted."""

from __future__ import annotations

from typing import Any

from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError


def ensure_experiment(session: DeadlineSession, name: str, *, artifacts: str | None) -> Any:
    """Return an active experiment with this name.

    A deleted experiment keeps its name for ever in MLflow, so it is restored.

    Any: mlflow's experiment has no useful type information.

    Args:
        session: to MLflow.
        name: the experiment's name.
        artifacts: where a new experiment keeps its artifacts; None leaves it to the server.

    Raises:
        MlflowError: MLflow does not let us.
    """
    found = session.call("get_experiment_by_name", name)
    if found is None:
        try:
            made = session.call_once("create_experiment", name, artifact_location=artifacts)
            return session.call("get_experiment", made)
        except MlflowError:
            found = session.call("get_experiment_by_name", name)  # another was faster
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        try:
            session.call("restore_experiment", found.experiment_id)
        except MlflowError:
            if session.call("get_experiment", found.experiment_id).lifecycle_stage != "active":
                raise
    return found
