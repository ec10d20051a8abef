"""The tracker: calls MLflow in a thread and keeps one run per model up to date."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from llmeval_core.hooks import (
    ConfigError,
    Readiness,
    Receipt,
    RunInfo,
    TaskResult,
    TrackerError,
    without_less_complete,
)
from llmeval_mlflow_tracker.artifacts import ArtifactStoreState
from llmeval_mlflow_tracker.completeness_tags import changed_conditions, read_coverage
from llmeval_mlflow_tracker.definitions import Definitions
from llmeval_mlflow_tracker.duplicate_runs import merge_duplicates
from llmeval_mlflow_tracker.experiment import ensure_experiment
from llmeval_mlflow_tracker.mlflow_client import (
    DeadlineSession,
    MlflowConnection,
    connect,
    load_mlflow,
)
from llmeval_mlflow_tracker.mlflow_environment import check_environment
from llmeval_mlflow_tracker.mlflow_errors import MlflowError, public_uri
from llmeval_mlflow_tracker.model_runs import delete_unnamed_runs, run_id
from llmeval_mlflow_tracker.result_delivery import ResultDelivery
from llmeval_mlflow_tracker.run_election import find_run
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.shared_tags import repair_shared_tags
from llmeval_mlflow_tracker.tags import is_delivered
from llmeval_mlflow_tracker.tracking_location import LOCK_WAIT_S, TrackingLocation, find_location
from llmeval_mlflow_tracker.worker_thread import WorkerThread

T = TypeVar("T")

_IMPORT_TIMEOUT_S = 120.0  # importing mlflow takes the processor, not the network
_MAX_ATTEMPTS = 3
_CLOSE_TIMEOUT_S = 4.0


@dataclass(slots=True)
class _OpenTracker:
    """An open connection, and what is known of the experiment so far.

    Args:
        run: gives samples and plans.
        location: where results go.
        connection: to MLflow.
        experiment_id: the experiment.
        definitions: of its metrics.
        store: of its artifacts.
        run_ids: of the runs that were found, by model.
        written: ids of the runs that were written to.
        elections: models whose run was not there at once.
    """

    run: RunInfo
    location: TrackingLocation
    connection: MlflowConnection
    experiment_id: str
    definitions: Definitions
    store: ArtifactStoreState = field(default_factory=ArtifactStoreState)
    run_ids: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    elections: set[str] = field(default_factory=set)


class MlflowTracker:
    """Writes results to MLflow, each model into a run of its own.

    All calls to MLflow happen in one thread, one after the other. None lasts longer than
    `timeout_s`; what could not be delivered by then is reported as a `TrackerError`, and the
    caller tries again later.
    """

    title = "MLflow"

    def __init__(self, settings: MlflowSettings) -> None:
        self._settings = settings
        self._worker = WorkerThread("llmeval mlflow tracker")
        self._open_tracker: _OpenTracker | None = None

    def check(self, home: Path) -> Readiness:
        """Look, without MLflow and without network, whether results could be delivered.

        Raises:
            ConfigError: the tracking URI can be none, or variables contradict each other.
            TrackerError: a library, a login or a place to write is missing.
        """
        location = find_location(self._settings.tracking_uri, home=home)
        return Readiness(check_environment(location, self._settings, os.environ))

    async def open(self, run: RunInfo) -> None:
        """Import mlflow, connect, and find or make the experiment.

        Raises:
            TrackerError: MLflow cannot be used now; may be called again.
        """
        try:
            location = find_location(self._settings.tracking_uri, home=run.home)
        except ConfigError as err:
            raise MlflowError("other", err.what, where=err.where, hint=err.hint) from err
        # Before the lock: importing takes longer than opening, and others wait for it.
        timeout_s = self._settings.timeout_s
        await self._in_thread(
            lambda: load_mlflow(location.uri, timeout_s=timeout_s, is_direct=location.is_direct),
            location,
            within_s=_IMPORT_TIMEOUT_S,
        )
        open_timeout_s = _IMPORT_TIMEOUT_S + LOCK_WAIT_S if location.is_direct else 0.5
        self._open_tracker = await self._in_thread(
            lambda: self._open(run, location), location, within_s=open_timeout_s + timeout_s
        )

    async def deliver(self, result: TaskResult) -> Receipt:
        """Write one result to its model's run; the same result again changes nothing.

        Raises:
            TrackerError: MLflow did not take it, or did not answer in time.
        """
        opened = self._open_tracker
        if opened is None:
            raise TrackerError("the MLflow tracker is not open")
        deadline = time.monotonic() + self._settings.timeout_s
        return await self._in_thread(
            lambda: self._deliver(opened, result, deadline),
            opened.location,
            within_s=self._settings.timeout_s + 0.5,
        )

    async def close(self) -> None:
        """Repair the shared tags of the runs that were written to, and let the thread end."""
        opened = self._open_tracker
        try:
            if opened is not None and opened.written:
                within_s = min(_CLOSE_TIMEOUT_S, self._settings.timeout_s)
                await self._worker.run(lambda: _clean_up(opened, within_s), within_s=within_s)
        except (TimeoutError, MlflowError):
            pass  # the next delivery repairs them
        finally:
            self._worker.stop()

    async def _in_thread(
        self, work: Callable[[], T], location: TrackingLocation, *, within_s: float
    ) -> T:
        try:
            return await self._worker.run(work, within_s=within_s)
        except TimeoutError as err:
            raise TrackerError(
                f"MLflow at {public_uri(location.uri)} did not answer within "
                f"{self._settings.timeout_s:g} s",
                hint="is it overloaded? the tracker's setting timeout_s allows more time",
            ) from err

    def _open(self, run: RunInfo, location: TrackingLocation) -> _OpenTracker:
        with location.opening():
            connection = connect(location.uri)
            # A new database is filled at the first call, which takes seconds.
            open_timeout_s = _IMPORT_TIMEOUT_S if location.is_direct else self._settings.timeout_s
            session = DeadlineSession(connection, time.monotonic() + open_timeout_s)
            experiment = self._experiment(session, location)
        return _OpenTracker(run, location, connection, *_id_and_definitions(experiment))

    def _deliver(self, opened: _OpenTracker, result: TaskResult, deadline: float) -> Receipt:
        session = DeadlineSession(opened.connection, deadline)
        for _ in range(_MAX_ATTEMPTS - 1):
            try:
                return self._deliver_once(session, opened, result)
            except MlflowError as err:
                if err.kind != "gone":
                    raise
                # Somebody deleted the run or the experiment: find both again.
                opened.run_ids.clear()
                experiment = self._experiment(session, opened.location)
                opened.experiment_id, opened.definitions = _id_and_definitions(experiment)
        return self._deliver_once(session, opened, result)

    def _deliver_once(
        self, session: DeadlineSession, opened: _OpenTracker, result: TaskResult
    ) -> Receipt:
        run, notes = self._run_of(session, opened, result.model)
        page = _page_of(opened.location, opened.experiment_id, run_id(run))
        if not is_delivered(result, run.data.tags):
            result, note = without_less_complete(result, read_coverage(result, run.data.tags))
            notes += [note] if note else []
            if note and not result.metrics:
                return Receipt(page, "; ".join(notes))
            changed = changed_conditions(result, run.data.tags)
            notes += [changed] if changed else []
        notes += opened.definitions.check(session, result, run.data.tags)
        delivery = ResultDelivery(session, self._settings, opened.run, opened.store, result)
        opened.written.add(run_id(run))
        notes += delivery.deliver(run)
        return Receipt(page, "; ".join(notes) or None)

    def _run_of(
        self, session: DeadlineSession, opened: _OpenTracker, model: str
    ) -> tuple[Any, list[str]]:
        """Return the model's run as it is now, and notes on finding it; Any: mlflow's run."""
        known = opened.run_ids.get(model)
        if known is not None:
            return session.call("get_run", known), []
        found = find_run(session, opened.experiment_id, model)
        if found.needed_election:
            opened.elections.add(model)
        notes = merge_duplicates(session, found) if self._settings.heal else []
        opened.run_ids[model] = run_id(found.run)
        if notes:
            return session.call("get_run", run_id(found.run)), notes
        return found.run, []

    def _experiment(self, session: DeadlineSession, location: TrackingLocation) -> Any:
        return ensure_experiment(session, self._settings.experiment, artifacts=location.artifacts)


def _id_and_definitions(experiment: Any) -> tuple[str, Definitions]:
    """Return what is needed of an experiment; Any: mlflow's."""
    experiment_id = str(experiment.experiment_id)
    return experiment_id, Definitions(experiment_id, experiment.tags)


def _clean_up(opened: _OpenTracker, within_s: float) -> None:
    """Repair shared tags, and delete what elections have left behind."""
    session = DeadlineSession(opened.connection, time.monotonic() + within_s)
    for written in sorted(opened.written):
        repair_shared_tags(session, written)
    for model in sorted(opened.elections):
        delete_unnamed_runs(session, opened.experiment_id, model)


def _page_of(location: TrackingLocation, experiment_id: str, run_id: str) -> str:
    """Return the address of the run's page; that of the store if it has no pages."""
    uri = public_uri(location.uri)
    if location.database is not None:
        return f"sqlite:///{location.database}"
    if uri.startswith(("http://", "https://")):
        return f"{uri.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
    return uri
