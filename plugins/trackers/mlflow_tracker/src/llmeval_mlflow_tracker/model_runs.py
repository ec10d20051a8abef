"""The runs of a model in an experiment: searched, created, named and deleted."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any

from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.names import HIDDEN, MAX_PARAM, MAX_RUN_NAME, MAX_TAG, short_value

MODEL_PARAM = "model_name"
CREATION_ID_TAG = f"{HIDDEN}birth"
"""Holds a random id of the call that created a run. Its key is what runs on servers have."""
DIGEST_TAG = f"{HIDDEN}model_digest"

_NOT_PLAIN = re.compile(r"['\"\\%]")


def model_param(model: str) -> str:
    """Return the value of `MODEL_PARAM`; a name that is too long ends in a digest."""
    return short_value(model, MAX_PARAM)[0]


def runs_of(session: DeadlineSession, experiment_id: str, model: str) -> list[Any]:
    """List the active runs of a model, the oldest first.

    MLflow's filter language has no escape, so a name with quotes, backslash or `%` is searched
    by a pattern; then names are compared here, exactly and with case.

    Any: mlflow's runs have no useful type information.

    Raises:
        MlflowError: MLflow refused; `gone` if the experiment is deleted.
    """
    param = model_param(model)
    if _NOT_PLAIN.search(param):
        condition = f"params.{MODEL_PARAM} LIKE '{_NOT_PLAIN.sub('_', param)}'"
    else:
        condition = f"params.{MODEL_PARAM} = '{param}'"
    found: list[Any] = []
    token = None
    while True:
        page = session.call(
            "search_runs",
            [experiment_id],
            condition,
            order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
            page_token=token,
        )
        found += [run for run in page if run.data.params.get(MODEL_PARAM) == param]
        token = page.token
        if not token:
            return found


def create_run(session: DeadlineSession, experiment_id: str, model: str) -> str:
    """Create a run, name its model, and return the run's id.

    Creating is not idempotent: a lost answer does not tell whether the run is there. Then the run
    with our creation id is searched.

    Raises:
        MlflowError: MLflow refused.
    """
    creation_id = uuid.uuid4().hex
    tags = {
        CREATION_ID_TAG: creation_id,
        DIGEST_TAG: _digest(model),
        "llmeval.provider": short_value(model.partition("/")[0], MAX_TAG)[0],
        "mlflow.source.name": "llmeval",
        "mlflow.source.type": "LOCAL",
    }
    name, _ = short_value(model, MAX_RUN_NAME)
    try:
        run = session.call_once("create_run", experiment_id, tags=tags, run_name=name)
    except MlflowError as err:
        if err.kind != "transient":
            raise
        found = session.call(
            "search_runs", [experiment_id], f"tags.`{CREATION_ID_TAG}` = '{creation_id}'"
        )
        if not found:
            raise
        run = found[0]
    return _name(session, run_id(run), model)


def name_unnamed_run(session: DeadlineSession, experiment_id: str, model: str) -> str | None:
    """Name a run that a writer created for the model and did not name; None if there is none.

    Raises:
        MlflowError: MLflow refused.
    """
    for unnamed in _unnamed_runs(session, experiment_id, model):
        return _name(session, unnamed, model)
    return None


def delete_unnamed_runs(session: DeadlineSession, experiment_id: str, model: str) -> None:
    """Delete the runs that were created for a model and never named.

    Their writers died, or gave up waiting for a server that created the run later. A run that is
    being created at this moment may be deleted too: its writer then finds the model's run.

    Raises:
        MlflowError: MLflow refused.
    """
    for unnamed in _unnamed_runs(session, experiment_id, model):
        delete_run(session, unnamed)


def delete_run(session: DeadlineSession, target: str) -> None:
    """Delete a run, which can be undone in MLflow; one that is deleted already is fine.

    Raises:
        MlflowError: MLflow refused for another reason.
    """
    try:
        session.call("delete_run", target)
    except MlflowError as err:
        if err.kind not in ("gone", "invalid"):
            raise


def run_id(run: Any) -> str:
    """Return a run's id; Any: mlflow's run."""
    return str(run.info.run_id)


def is_made_by_llmeval(run: Any) -> bool:
    """Whether the tracker created a run; Any: mlflow's run."""
    return CREATION_ID_TAG in run.data.tags


def _unnamed_runs(session: DeadlineSession, experiment_id: str, model: str) -> list[str]:
    found = session.call(
        "search_runs", [experiment_id], f"tags.`{DIGEST_TAG}` = '{_digest(model)}'"
    )
    return [run_id(run) for run in found if MODEL_PARAM not in run.data.params]


def _name(session: DeadlineSession, target: str, model: str) -> str:
    session.call("log_param", target, MODEL_PARAM, model_param(model), synchronous=True)
    return target


def _digest(model: str) -> str:
    return hashlib.blake2b(model.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
