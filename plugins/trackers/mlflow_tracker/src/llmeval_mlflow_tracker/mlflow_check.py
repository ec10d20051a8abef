"""The check `MLflow` of `llmeval doctor`: whether it can be reached and has the experiment."""

from __future__ import annotations

import os
import time
from pathlib import Path

from llmeval_core.hooks import CheckOutcome, LlmevalError
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession, connect, load_mlflow
from llmeval_mlflow_tracker.mlflow_environment import check_environment
from llmeval_mlflow_tracker.mlflow_errors import MlflowError, public_uri
from llmeval_mlflow_tracker.settings import DEFAULT_EXPERIMENT, MlflowSettings
from llmeval_mlflow_tracker.tracking_location import find_location

_TIMEOUT_S = 10.0


def check_mlflow(home: Path) -> CheckOutcome:
    """Check, without creating anything, the location that a tracker without settings uses."""
    try:
        location = find_location(None, home=home)
        notes = check_environment(location, MlflowSettings(), os.environ)
    except LlmevalError as err:
        return CheckOutcome("failed", err.what, err.hint)
    if location.database is not None and not location.database.exists():
        return _outcome(f"{location.database} will be made by the first delivery", notes)
    try:
        load_mlflow(location.uri, timeout_s=_TIMEOUT_S, is_direct=location.is_direct)
        with location.opening():
            connection = connect(location.uri)
            session = DeadlineSession(connection, time.monotonic() + _TIMEOUT_S)
            found = session.call("get_experiment_by_name", DEFAULT_EXPERIMENT)
    except MlflowError as err:
        return CheckOutcome("failed", err.what, err.hint)
    where = public_uri(location.uri)
    if found is None:
        return _outcome(f"{where} answers; '{DEFAULT_EXPERIMENT}' is not there yet", notes)
    if found.lifecycle_stage != "active":
        return CheckOutcome(
            "warning",
            f"{where} answers; '{DEFAULT_EXPERIMENT}' is deleted",
            "the next delivery restores it",
        )
    return _outcome(f"{where} answers and has '{DEFAULT_EXPERIMENT}'", notes)


def _outcome(detail: str, notes: tuple[str, ...]) -> CheckOutcome:
    if notes:
        return CheckOutcome("warning", "; ".join((detail, *notes)))
    return CheckOutcome("ok", detail)
