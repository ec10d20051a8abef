"""The tracker: opens MLflow in a thread and keeps one run per model up to date."""

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
)
from llmeval_mlflow_tracker.artifacts import ArtifactStore
from llmeval_mlflow_tracker.connection import Connection, Session, connect, load_mlflow
from llmeval_mlflow_tracker.definitions import Definitions
from llmeval_mlflow_tracker.delivery import Delivery
from llmeval_mlflow_tracker.embedded import LOCK_WAIT_S, Place, find_place
from llmeval_mlflow_tracker.environment import check_surroundings
from llmeval_mlflow_tracker.experiment import ensure_experiment
from llmeval_mlflow_tracker.healing import heal
from llmeval_mlflow_tracker.identity import find_run, run_id, sweep_orphans
from llmeval_mlflow_tracker.refusals import RefusedError, public_uri
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.settling import settle
from llmeval_mlflow_tracker.standing import standing_part, what_changed
from llmeval_mlflow_tracker.tags import is_delivered
from llmeval_mlflow_tracker.worker import Worker

T = TypeVar("T")

_IMPORT_ALLOWANCE_S = 120.0  # importing mlflow is work for the processor, not the network
_MAX_ROUNDS = 3
_SETTLE_S = 4.0


@dataclass(slots=True)
class _Opened:
    """What `open` leaves behind: a connection, and what was found so far."""

    run: RunInfo
    place: Place
    connection: Connection
    experiment_id: str
    definitions: Definitions
    store: ArtifactStore = field(default_factory=ArtifactStore)
    run_ids: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    elected: set[str] = field(default_factory=set)  # models whose run was not there at once


class MlflowTracker:
    """Writes results to MLflow, each model into a run of its own.

    All calls to MLflow happen in one thread, one after the other. None lasts longer than
    `timeout_s`; what could not be delivered by then is reported as a `TrackerError`, and the
    caller tries again later.
    """

    title = "MLflow"

    def __init__(self, settings: MlflowSettings) -> None:
        self._settings = settings
        self._worker = Worker("llmeval mlflow tracker")
        self._opened: _Opened | None = None

    def check(self, home: Path) -> Readiness:
        """Look, without MLflow and without network, whether results could be delivered.

        Raises:
            ConfigError: the tracking URI can be none, or variables contradict each other.
            TrackerError: a library, a login or a place to write is missing.
        """
        place = find_place(self._settings.tracking_uri, home=home)
        return Readiness(check_surroundings(place, self._settings, os.environ))

    async def open(self, run: RunInfo) -> None:
        """Import mlflow, connect, and find or make the experiment.

        Raises:
            TrackerError: MLflow cannot be used now; may be called again.
        """
        try:
            place = find_place(self._settings.tracking_uri, home=run.home)
        except ConfigError as err:
            raise RefusedError("other", err.what, where=err.where, hint=err.hint) from err
        # Before the lock: importing takes longer than opening, and others wait for it.
        timeout_s = self._settings.timeout_s
        await self._in_thread(
            lambda: load_mlflow(place.uri, timeout_s=timeout_s, is_direct=place.is_direct),
            place,
            within_s=_IMPORT_ALLOWANCE_S,
        )
        allowance_s = _IMPORT_ALLOWANCE_S + LOCK_WAIT_S if place.is_direct else 0.5
        self._opened = await self._in_thread(
            lambda: self._open(run, place), place, within_s=allowance_s + timeout_s
        )

    async def deliver(self, result: TaskResult) -> Receipt:
        """Write one result to its model's run; the same result again changes nothing.

        Raises:
            TrackerError: MLflow did not take it, or did not answer in time.
        """
        opened = self._opened
        if opened is None:
            raise TrackerError("the MLflow tracker is not open")
        deadline = time.monotonic() + self._settings.timeout_s
        return await self._in_thread(
            lambda: self._deliver(opened, result, deadline),
            opened.place,
            within_s=self._settings.timeout_s + 0.5,
        )

    async def close(self) -> None:
        """Look once more at the runs that were written to, and let the thread end."""
        opened = self._opened
        try:
            if opened is not None and opened.written:
                within_s = min(_SETTLE_S, self._settings.timeout_s)
                await self._worker.run(lambda: _settle(opened, within_s), within_s=within_s)
        except (TimeoutError, RefusedError):
            pass  # the next delivery puts it right
        finally:
            self._worker.stop()

    async def _in_thread(self, work: Callable[[], T], place: Place, *, within_s: float) -> T:
        try:
            return await self._worker.run(work, within_s=within_s)
        except TimeoutError as err:
            raise TrackerError(
                f"MLflow at {public_uri(place.uri)} did not answer within "
                f"{self._settings.timeout_s:g} s",
                hint="is it overloaded? the tracker's setting timeout_s allows more time",
            ) from err

    def _open(self, run: RunInfo, place: Place) -> _Opened:
        with place.opening():
            connection = connect(place.uri)
            # A new database is filled at the first call, which takes seconds.
            allowance_s = _IMPORT_ALLOWANCE_S if place.is_direct else self._settings.timeout_s
            session = Session(connection, time.monotonic() + allowance_s)
            experiment = self._experiment(session, place)
        return _Opened(run, place, connection, *_known_of(experiment))

    def _deliver(self, opened: _Opened, result: TaskResult, deadline: float) -> Receipt:
        session = Session(opened.connection, deadline)
        for _ in range(_MAX_ROUNDS - 1):
            try:
                return self._bring(session, opened, result)
            except RefusedError as refused:
                if refused.kind != "gone":
                    raise
                # Somebody deleted the run or the experiment: forget both and look again.
                opened.run_ids.clear()
                experiment = self._experiment(session, opened.place)
                opened.experiment_id, opened.definitions = _known_of(experiment)
        return self._bring(session, opened, result)

    def _bring(self, session: Session, opened: _Opened, result: TaskResult) -> Receipt:
        run, notes = self._run_of(session, opened, result.model)
        location = _location(opened.place, opened.experiment_id, run_id(run))
        if not is_delivered(result, run.data.tags):
            kept, note = standing_part(result, run.data.tags)
            notes += [note] if note else []
            if kept is None:
                return Receipt(location, "; ".join(notes))
            result = kept
            changed = what_changed(result, run.data.tags)
            notes += [changed] if changed else []
        notes += opened.definitions.check(session, result, run.data.tags)
        delivery = Delivery(session, self._settings, opened.run, opened.store, result)
        opened.written.add(run_id(run))
        notes += delivery.bring(run)
        return Receipt(location, "; ".join(notes) or None)

    def _run_of(self, session: Session, opened: _Opened, model: str) -> tuple[Any, list[str]]:
        """Return the model's run, read just now, and what was done to find it; Any: mlflow's."""
        known = opened.run_ids.get(model)
        if known is not None:
            return session.call("get_run", known), []
        found = find_run(session, opened.experiment_id, model)
        if found.is_elected:
            opened.elected.add(model)
        notes = heal(session, found) if self._settings.heal else []
        opened.run_ids[model] = run_id(found.run)
        if notes:
            return session.call("get_run", run_id(found.run)), notes
        return found.run, []

    def _experiment(self, session: Session, place: Place) -> Any:
        return ensure_experiment(session, self._settings.experiment, artifacts=place.artifacts)


def _known_of(experiment: Any) -> tuple[str, Definitions]:
    """Return what is kept of mlflow's experiment."""
    experiment_id = str(experiment.experiment_id)
    return experiment_id, Definitions(experiment_id, experiment.tags)


def _settle(opened: _Opened, within_s: float) -> None:
    session = Session(opened.connection, time.monotonic() + within_s)
    for written in sorted(opened.written):
        settle(session, written)
    for model in sorted(opened.elected):
        sweep_orphans(session, opened.experiment_id, model)


def _location(place: Place, experiment_id: str, run_id: str) -> str:
    """Return the run's page, or where the store is if it has no pages."""
    uri = public_uri(place.uri)
    if place.database is not None:
        return f"sqlite:///{place.database}"
    if uri.startswith(("http://", "https://")):
        return f"{uri.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
    return uri
