"""One run per model: how it is found, and how a new one is agreed on by many writers at once.

MLflow has no unique constraint on runs, so writers elect one. The only operation that MLflow
does atomically for us is logging a param: the first value stays, another is refused. Each run
carries the write-once param `llmeval.state`. Who wants to claim a run first marks every other
run it sees as `void`, and then its choice as `canonical`; both hold for ever. Two canonical
runs would each have to be created before the other. It needs no clock and no lock, and a
process that dies half-way leaves nothing that the next one cannot finish.
"""

from __future__ import annotations

import hashlib
import random
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any

from llmeval_mlflow_tracker.connection import Session
from llmeval_mlflow_tracker.names import HIDDEN, MAX_PARAM, MAX_RUN_NAME, MAX_TAG, short_value
from llmeval_mlflow_tracker.refusals import RefusedError

MODEL_PARAM = "model_name"
STATE_PARAM = "llmeval.state"
BIRTH_TAG = f"{HIDDEN}birth"
DIGEST_TAG = f"{HIDDEN}model_digest"

_PATIENCE_S = 1.5  # how long to wait for another's claim; only saves calls
_NOT_PLAIN = re.compile(r"['\"\\%]")


@dataclass(frozen=True, slots=True)
class Found:
    """A model's run, and other active runs that say they are the same model's.

    Any: mlflow's runs have no useful type information.

    Args:
        run: as it was read a moment ago.
        strays: runs with scores, made by hand or by other tools, or restored from the bin.
        is_elected: it was not there at once, so other runs may have been made for the model.
    """

    run: Any
    strays: list[Any]
    is_elected: bool = False


def find_run(session: Session, experiment_id: str, model: str) -> Found:
    """Find the model's one active run, or make it.

    Raises:
        RefusedError: MLflow refused; `gone` if the experiment is deleted.
    """
    param, _ = short_value(model, MAX_PARAM)
    mine: list[str] = []
    patience_ends = time.monotonic() + _PATIENCE_S
    waited_for_others = False
    n_looks = 0
    while True:
        runs = runs_of(session, experiment_id, param)
        n_looks += 1
        winner = next((run_id(run) for run in runs if state_of(run) == "canonical"), None)
        if winner is not None:
            break
        live = [run for run in runs if state_of(run) != "void"]
        if not live:
            if waited_for_others:
                mine.append(
                    _adopt_orphan(session, experiment_id, model, param)
                    or _create(session, experiment_id, model, param)
                )
            else:
                waited_for_others = True
                time.sleep(random.uniform(0, 0.15))  # noqa: S311  jitter
            continue
        first = live[0]
        if _is_ours(first) and run_id(first) not in mine and time.monotonic() < patience_ends:
            time.sleep(random.uniform(0.05, 0.15))  # noqa: S311  jitter
            continue
        winner = _claim(session, live)
        if winner is not None:
            break
    others = [run for run in runs if run_id(run) != winner]
    losers = [run for run in others if _lost_election(run)]
    known = {run_id(run) for run in runs}
    for loser in [*map(run_id, losers), *(made for made in mine if made not in known)]:
        if loser != winner:
            delete(session, loser)
    (run,) = (run for run in runs if run_id(run) == winner)
    return Found(run, [run for run in others if run not in losers], n_looks > 1)


def runs_of(session: Session, experiment_id: str, param: str) -> list[Any]:
    """List the active runs of a model, the oldest first.

    MLflow's filter language has no escape, so a name with quotes, backslash or `%` is searched
    by a pattern; what decides is the comparison here, exact and with case.

    Any: mlflow's runs have no useful type information.
    """
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


def _claim(session: Session, live: list[Any]) -> str | None:
    """Void all but the first and claim that one; return the winner, None to look again."""
    for other in live[1:]:
        if _write_once(session, run_id(other), "void") == "canonical":
            return run_id(other)
    first = run_id(live[0])
    return first if _write_once(session, first, "canonical") == "canonical" else None


def _write_once(session: Session, target: str, state: str) -> str | None:
    """Set a run's state if it has none; return the state that it has, None if it is gone."""
    try:
        session.call("log_param", target, STATE_PARAM, state, synchronous=True)
    except RefusedError as refused:
        if refused.kind == "gone":
            return None
        if refused.kind != "conflict":
            raise
        return state_of(session.call("get_run", target))
    return state


def _create(session: Session, experiment_id: str, model: str, param: str) -> str:
    """Create a run and name its model.

    Creating is not idempotent. When the answer is lost, the birth tag tells whether the run is
    there after all.
    """
    birth = uuid.uuid4().hex
    tags = {
        BIRTH_TAG: birth,
        DIGEST_TAG: _digest(model),
        "llmeval.provider": short_value(model.partition("/")[0], MAX_TAG)[0],
        "mlflow.source.name": "llmeval",
        "mlflow.source.type": "LOCAL",
    }
    name, _ = short_value(model, MAX_RUN_NAME)
    try:
        run = session.call_once("create_run", experiment_id, tags=tags, run_name=name)
    except RefusedError as refused:
        if refused.kind != "transient":
            raise
        found = session.call("search_runs", [experiment_id], f"tags.`{BIRTH_TAG}` = '{birth}'")
        if not found:
            raise
        run = found[0]
    return _name(session, run_id(run), param)


def _adopt_orphan(session: Session, experiment_id: str, model: str, param: str) -> str | None:
    """Name a run whose maker died between creating and naming it; None if there is none."""
    for orphan in _orphans(session, experiment_id, model):
        return _name(session, orphan, param)
    return None


def sweep_orphans(session: Session, experiment_id: str, model: str) -> None:
    """Bin the runs that were made for a model and never named.

    Their makers died, or gave up waiting for a server that did create the run, later. One that
    is being made at this moment comes to no harm: its maker finds the model's run instead.

    Raises:
        RefusedError: MLflow refused.
    """
    for orphan in _orphans(session, experiment_id, model):
        delete(session, orphan)


def _orphans(session: Session, experiment_id: str, model: str) -> list[str]:
    found = session.call(
        "search_runs", [experiment_id], f"tags.`{DIGEST_TAG}` = '{_digest(model)}'"
    )
    return [run_id(run) for run in found if MODEL_PARAM not in run.data.params]


def _name(session: Session, target: str, param: str) -> str:
    session.call("log_param", target, MODEL_PARAM, param, synchronous=True)
    return target


def _digest(model: str) -> str:
    return hashlib.blake2b(model.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def delete(session: Session, target: str) -> None:
    """Move a run to the bin; one that is there already, or gone, is fine.

    Raises:
        RefusedError: MLflow refused for another reason.
    """
    try:
        session.call("delete_run", target)
    except RefusedError as refused:
        if refused.kind not in ("gone", "invalid"):
            raise


def run_id(run: Any) -> str:
    """Return a run's id; Any: mlflow's run."""
    return str(run.info.run_id)


def state_of(run: Any) -> str | None:
    """Return `canonical`, `void`, or None for a run that has had no election."""
    state = run.data.params.get(STATE_PARAM)
    return None if state is None else str(state)


def _is_ours(run: Any) -> bool:
    return BIRTH_TAG in run.data.tags


def _lost_election(run: Any) -> bool:
    """Tell whether a run was made for an election, lost it, and so never got a score."""
    return _is_ours(run) and state_of(run) != "canonical" and not run.data.metrics
