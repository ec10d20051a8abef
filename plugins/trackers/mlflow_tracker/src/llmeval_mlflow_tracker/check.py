"""The doctor's line about MLflow: can it be reached, and is the experiment there?"""

from __future__ import annotations

import time
from pathlib import Path

from llmeval_core.hooks import CheckOutcome
from llmeval_mlflow_tracker.connection import Session, connect, load_mlflow
from llmeval_mlflow_tracker.embedded import find_place
from llmeval_mlflow_tracker.refusals import RefusedError, public_uri
from llmeval_mlflow_tracker.settings import DEFAULT_EXPERIMENT

_TIMEOUT_S = 10.0


def check_mlflow(home: Path) -> CheckOutcome:
    """Look, without making anything, where the tracker goes when its settings are left out."""
    place = find_place(None, home=home)
    if place.database is not None and not place.database.exists():
        return CheckOutcome("ok", f"{place.database} will be made by the first delivery")
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
        return CheckOutcome("ok", f"{where} answers; '{DEFAULT_EXPERIMENT}' is not there yet")
    if found.lifecycle_stage != "active":
        return CheckOutcome(
            "warning",
            f"{where} answers; '{DEFAULT_EXPERIMENT}' is deleted",
            "the next delivery restores it",
        )
    return CheckOutcome("ok", f"{where} answers and has '{DEFAULT_EXPERIMENT}'")
