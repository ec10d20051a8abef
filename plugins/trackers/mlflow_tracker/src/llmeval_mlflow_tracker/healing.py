"""Merging what should be one run: duplicates made by hand, by other tools, or by restoring.

A stray run goes to the bin first, so that nobody can write to it any more, and then what the
model's run lacks is carried over. A tag on the model's run says that this has begun, so that
whoever comes after a crash finishes it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from llmeval_mlflow_tracker.batches import batches
from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.identity import (
    BIRTH_TAG,
    DIGEST_TAG,
    MODEL_PARAM,
    STATE_PARAM,
    Found,
    delete,
    run_id,
    state_of,
)
from llmeval_mlflow_tracker.names import HIDDEN
from llmeval_mlflow_tracker.overwrite import Point, latest_points
from llmeval_mlflow_tracker.refusals import RefusedError
from llmeval_mlflow_tracker.tags import TABLES_TAG
from llmeval_mlflow_tracker.wire import metric_entities, tag_entities

MERGED_TAG = f"{HIDDEN}merged."
_BEGUN = "begun"
_DONE = "done"
_UNDER_WAY_S = 0.2  # a write that had begun when the run was deleted may still land
_KEYS_A_BATCH = 50
_NOT_CARRIED = frozenset(
    {BIRTH_TAG, DIGEST_TAG, TABLES_TAG, "mlflow.runName", "mlflow.user", "mlflow.runColor"}
)


def heal(session: Session, found: Found) -> list[str]:
    """Merge the strays into the model's run; return what the user should know.

    Raises:
        RefusedError: MLflow refused; what is done so far stays, the next call goes on.
    """
    into = run_id(found.run)
    strays = {run_id(stray): stray for stray in found.strays}
    unfinished = {
        tag.removeprefix(MERGED_TAG): None
        for tag, progress in found.run.data.tags.items()
        if tag.startswith(MERGED_TAG) and progress == _BEGUN
    }
    notes = []
    for stray in {**unfinished, **strays}:
        n_carried = _merge(session, stray, into)
        notes.append(
            f"run {stray} was a second run of this model: it is in the bin now, "
            f"{n_carried} of its metrics were carried over to run {into}"
        )
    return notes


def _merge(session: Session, stray_id: str, into: str) -> int:
    session.call("set_tag", into, MERGED_TAG + stray_id, _BEGUN)
    delete(session, stray_id)
    time.sleep(_UNDER_WAY_S)
    try:
        stray = session.call("get_run", stray_id)
    except RefusedError as refused:
        if refused.kind != "gone":
            raise
        stray = None  # removed for good; there is nothing to carry over
    n_carried = 0
    if stray is not None:
        run = session.call("get_run", into)
        n_carried = _carry_metrics(session, stray, run)
        _carry_words(session, stray, run)
        _carry_inputs(session, stray, run)
    session.call("set_tag", into, MERGED_TAG + stray_id, _DONE)
    return n_carried


def _carry_metrics(session: Session, stray: Any, run: Any) -> int:
    """Copy the history of each metric that the run lacks; return how many metrics.

    Of a run that was the model's own once (deleted, then restored), a value that is newer than
    the one here becomes the newest.
    """
    ours, theirs = latest_points(run), latest_points(stray)
    lacking = [key for key, point in theirs.items() if key not in ours and _is_number(point)]
    for start in range(0, len(lacking), _KEYS_A_BATCH):
        points = [
            (key, point)
            for key in lacking[start : start + _KEYS_A_BATCH]
            for point in _history(session, run_id(stray), key)
        ]
        _write_points(session, run_id(run), points)
    newer = []
    if state_of(stray) == "canonical":
        newer = [
            (key, Point(point.value, point.timestamp_ms, ours[key].step + 1))
            for key, point in theirs.items()
            if key in ours and _is_number(point) and point.timestamp_ms > ours[key].timestamp_ms
        ]
        _write_points(session, run_id(run), newer)
    return len(lacking) + len(newer)


def _history(session: Session, stray_id: str, key: str) -> Iterable[Point]:
    history = session.call("get_metric_history", stray_id, key)
    points = (Point(metric.value, metric.timestamp, metric.step) for metric in history)
    return [point for point in points if _is_number(point)]


def _is_number(point: Point) -> bool:
    # MLflow keeps infinity as the largest float.
    return math.isfinite(point.value) and abs(point.value) < 1.7976931348623157e308


def _write_points(session: Session, into: str, points: list[tuple[str, Point]]) -> None:
    for start in range(0, len(points), 1000):
        some = points[start : start + 1000]
        session.call("log_batch", into, metrics=metric_entities(session, some), synchronous=True)


def _carry_words(session: Session, stray: Any, run: Any) -> None:
    """Copy the params and tags that the run lacks."""
    make = session.connection.entities
    params = _missing(stray.data.params, run.data.params, but={MODEL_PARAM, STATE_PARAM})
    for key, value in params.items():
        try:
            session.call(
                "log_batch", run_id(run), params=[make.Param(key, value)], synchronous=True
            )
        except RefusedError as refused:
            if refused.kind != "conflict":  # somebody else wrote one meanwhile
                raise
    tags = _missing(stray.data.tags, run.data.tags, but=_NOT_CARRIED)
    for _, some in batches({}, tags):
        session.call("log_batch", run_id(run), tags=tag_entities(session, some), synchronous=True)


def _missing(
    theirs: Mapping[str, str], ours: Mapping[str, str], *, but: Iterable[str]
) -> dict[str, str]:
    left_out = {*ours, *but}
    return {key: value for key, value in theirs.items() if key not in left_out}


def _carry_inputs(session: Session, stray: Any, run: Any) -> None:
    known = {(item.dataset.name, item.dataset.digest) for item in run.inputs.dataset_inputs}
    missing = [
        item
        for item in stray.inputs.dataset_inputs
        if (item.dataset.name, item.dataset.digest) not in known
    ]
    if missing:
        session.call("log_inputs", run_id(run), datasets=missing)
