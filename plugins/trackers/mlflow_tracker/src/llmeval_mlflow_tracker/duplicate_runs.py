"""Merging duplicate runs of a model: made by hand, by other tools, or restored after deletion.

A duplicate is deleted first, so that nobody can write to it any more; then what the model's run
lacks is copied from it. A tag on the model's run records each merge.

States and transitions of a merge:

* none -> *begun*: the tag is set. The duplicate is deleted and copied from.
* *begun* -> *done*: everything is copied. If the writer dies before, the tag stays at *begun*, and
  the next writer that looks for the model's run merges the duplicate again; values that are there
  already are not copied twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from llmeval_mlflow_tracker.entities import metric_entities, tag_entities
from llmeval_mlflow_tracker.log_batches import log_batches
from llmeval_mlflow_tracker.metric_points import MetricPoint, latest_points
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.model_runs import (
    CREATION_ID_TAG,
    DIGEST_TAG,
    MODEL_PARAM,
    delete_run,
    run_id,
)
from llmeval_mlflow_tracker.names import HIDDEN
from llmeval_mlflow_tracker.run_election import ELECTED, STATE_PARAM, ElectedRun, state_of
from llmeval_mlflow_tracker.tags import TABLES_TAG

MERGED_TAG = f"{HIDDEN}merged."
_BEGUN = "begun"
_DONE = "done"
_WRITE_IN_FLIGHT_S = 0.2  # a write that began before the run was deleted may still be applied
_KEYS_A_BATCH = 50
_NOT_COPIED = frozenset(
    {CREATION_ID_TAG, DIGEST_TAG, TABLES_TAG, "mlflow.runName", "mlflow.user", "mlflow.runColor"}
)


def merge_duplicates(session: DeadlineSession, found: ElectedRun) -> list[str]:
    """Merge the duplicates into the model's run; return what the user should know.

    Raises:
        MlflowError: MLflow refused; what was copied stays, and the next call goes on.
    """
    into = run_id(found.run)
    duplicates = {run_id(run): None for run in found.duplicates}
    unfinished = {
        tag.removeprefix(MERGED_TAG): None
        for tag, progress in found.run.data.tags.items()
        if tag.startswith(MERGED_TAG) and progress == _BEGUN
    }
    notes = []
    for duplicate in {**unfinished, **duplicates}:
        n_copied = _merge(session, duplicate, into)
        notes.append(
            f"run {duplicate} was a second run of this model: it is in the bin now, "
            f"{n_copied} of its metrics were carried over to run {into}"
        )
    return notes


def _merge(session: DeadlineSession, duplicate_id: str, into: str) -> int:
    """Merge one duplicate; return how many of its metrics were copied."""
    session.call("set_tag", into, MERGED_TAG + duplicate_id, _BEGUN)
    delete_run(session, duplicate_id)
    time.sleep(_WRITE_IN_FLIGHT_S)
    try:
        duplicate = session.call("get_run", duplicate_id)
    except MlflowError as err:
        if err.kind != "gone":
            raise
        duplicate = None  # removed for good; there is nothing to copy
    n_copied = 0
    if duplicate is not None:
        run = session.call("get_run", into)
        n_copied = _copy_metrics(session, duplicate, run)
        _copy_params_and_tags(session, duplicate, run)
        _copy_inputs(session, duplicate, run)
    session.call("set_tag", into, MERGED_TAG + duplicate_id, _DONE)
    return n_copied


def _copy_metrics(session: DeadlineSession, duplicate: Any, run: Any) -> int:
    """Copy the history of each metric that the run lacks; return how many metrics.

    If the duplicate was elected once (then deleted and restored), values that are newer than those
    here become the latest ones.
    """
    ours, theirs = latest_points(run), latest_points(duplicate)
    missing = [key for key, point in theirs.items() if key not in ours and _is_number(point)]
    for start in range(0, len(missing), _KEYS_A_BATCH):
        points = [
            (key, point)
            for key in missing[start : start + _KEYS_A_BATCH]
            for point in _history(session, run_id(duplicate), key)
        ]
        _write_points(session, run_id(run), points)
    newer = []
    if state_of(duplicate) == ELECTED:
        newer = [
            (key, MetricPoint(point.value, point.timestamp_ms, ours[key].step + 1))
            for key, point in theirs.items()
            if key in ours and _is_number(point) and point.timestamp_ms > ours[key].timestamp_ms
        ]
        _write_points(session, run_id(run), newer)
    return len(missing) + len(newer)


def _history(session: DeadlineSession, duplicate_id: str, key: str) -> Iterable[MetricPoint]:
    history = session.call("get_metric_history", duplicate_id, key)
    points = (MetricPoint(metric.value, metric.timestamp, metric.step) for metric in history)
    return [point for point in points if _is_number(point)]


def _is_number(point: MetricPoint) -> bool:
    # MLflow keeps infinity as the largest float.
    return math.isfinite(point.value) and abs(point.value) < 1.7976931348623157e308


def _write_points(
    session: DeadlineSession, into: str, points: list[tuple[str, MetricPoint]]
) -> None:
    for start in range(0, len(points), 1000):
        some = points[start : start + 1000]
        session.call("log_batch", into, metrics=metric_entities(session, some), synchronous=True)


def _copy_params_and_tags(session: DeadlineSession, duplicate: Any, run: Any) -> None:
    """Copy the params and tags that the run lacks."""
    make = session.connection.entities
    params = _missing(duplicate.data.params, run.data.params, but={MODEL_PARAM, STATE_PARAM})
    for key, value in params.items():
        try:
            session.call(
                "log_batch", run_id(run), params=[make.Param(key, value)], synchronous=True
            )
        except MlflowError as err:
            if err.kind != "conflict":  # somebody else wrote one meanwhile
                raise
    tags = _missing(duplicate.data.tags, run.data.tags, but=_NOT_COPIED)
    for _, some in log_batches({}, tags):
        session.call("log_batch", run_id(run), tags=tag_entities(session, some), synchronous=True)


def _missing(
    theirs: Mapping[str, str], ours: Mapping[str, str], *, but: Iterable[str]
) -> dict[str, str]:
    left_out = {*ours, *but}
    return {key: value for key, value in theirs.items() if key not in left_out}


def _copy_inputs(session: DeadlineSession, duplicate: Any, run: Any) -> None:
    known = {(item.dataset.name, item.dataset.digest) for item in run.inputs.dataset_inputs}
    missing = [
        item
        for item in duplicate.inputs.dataset_inputs
        if (item.dataset.name, item.dataset.digest) not in known
    ]
    if missing:
        session.call("log_inputs", run_id(run), datasets=missing)
