"""What this distribution offers: the tracker `mlflow` and the check `MLflow`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from llmeval_core.hooks import Check, CheckOutcome, Component, Tracker, hookimpl
from llmeval_mlflow_tracker.settings import MlflowSettings

_EXAMPLE = """\
trackers:
  - use: mlflow
    tracking_uri: http://localhost:5000   # left out: an SQLite file in the project's folder
    experiment: model_evaluation
"""


def _make_tracker(settings: MlflowSettings) -> Tracker:
    from llmeval_mlflow_tracker.tracker import MlflowTracker  # noqa: PLC0415

    return MlflowTracker(settings)


def _check(home: Path) -> CheckOutcome:
    from llmeval_mlflow_tracker.mlflow_check import check_mlflow  # noqa: PLC0415

    return check_mlflow(home)


@hookimpl
def llmeval_register_trackers() -> Iterable[Component[Any, Tracker]]:
    """Offer `mlflow`."""
    yield Component(
        "mlflow",
        MlflowSettings,
        _make_tracker,
        "one MLflow run per model, with every score, sample tables and a summary",
        argument="tracking_uri",
        example=_EXAMPLE,
    )


@hookimpl
def llmeval_register_checks() -> Iterable[Check]:
    """Offer the check `MLflow`."""
    yield Check("MLflow", _check)
