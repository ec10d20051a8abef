"""The doctor's line about MLflow: can it be reached, and is the experiment there?"""

from __future__ import annotations

import os
import time
from pathlib import Path

from llmeval_core.hooks import CheckOutcome, LlmevalError
from llmeval_mlflow_tracker.connection import Session, connect, load_mlflow
from llmeval_mlflow_tracker.embedded import find_place
from llmeval_mlflow_tracker.environment import check_surroundings
from llmeval_mlflow_tracker.refusals import RefusedError, public_uri
from llmeval_mlflow_tracker.settings import DEFAULT_EXPERIMENT, MlflowSettings

_TIMEOUT_S = 10.0


def check_mlflow(home: Path) -> CheckOutcome:
    """Look, without making anything, where the tracker goes when its settings are left out."""
    try:
        place = find_place(None, home=home)
        notes = check_surroundings(place, MlflowSettings(), os.environ)
    except LlmevalError as err:
        return CheckOutcome("failed", err.what, err.hint)
    if place.database is not None and not place.database.exists():
        return _told(f"{place.database} will be made by the first delivery", notes)
    try:
        load_mlflow(place.uri, timeout_s=_TIMEOUT_S, is_direct=place.is_direct)
        with place.opening():
            connection = connect(place.uri)
            session = Session(connection, time.monotonic() + _TIMEOUT_S)
            found = session.call("get_experiment_by_name", DEFAULT_EXPERIMENT)
    except RefusedError as refused:
        return CheckOutcome("failed", refused.what, refused.hint)
    where = public_uri(place.uri)
    if found is None:
        return _told(f"{where} answers; '{DEFAULT_EXPERIMENT}' is not there yet", notes)
    if found.lifecycle_stage != "active":
        return CheckOutcome(
            "warning",
            f"{where} answers; '{DEFAULT_EXPERIMENT}' is deleted",
            "the next delivery restores it",
        )
    return _told(f"{where} answers and has '{DEFAULT_EXPERIMENT}'", notes)


def _told(detail: str, notes: tuple[str, ...]) -> CheckOutcome:
    if notes:
        return CheckOutcome("warning", "; ".join((detail, *notes)))
    return CheckOutcome("ok", detail)
