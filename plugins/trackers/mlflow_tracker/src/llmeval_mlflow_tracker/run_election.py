"""One run per model: how it is found, and how writers agree on a new one.

MLflow has no unique constraint on runs, so writers elect one. MLflow does one thing atomically:
of a param that is logged twice, the first value stays and the other is refused. So each run has
its state in the write-once param `llmeval.state`, whose values on the server are `canonical`
(elected) and `void` (retired).

States and transitions of a run:

* *unnamed*: created, without the param `model_name`. Its writer names it -> *candidate*. If that
  writer died, another one names it -> *candidate*, or deletes it when it closes -> *deleted*.
* *candidate*: it has a name and no state. A writer that sees no elected run retires every
  candidate but the oldest -> *retired*, and then elects the oldest -> *elected*.
* *elected*: the model's run, for good. Somebody deletes it in MLflow -> *deleted*, and the next
  writer begins a new election.
* *retired*: it lost. If the tracker created it and it has no metrics -> *deleted*; else it is a
  duplicate run, which `duplicate_runs` merges.
* *deleted*: MLflow no longer finds it. If a person restores it, it is what it was before.

No two runs are elected: a writer retires all other runs that it sees before it elects one, so of
two elected runs each would have to be created after the other. Neither a clock nor a lock is
needed, and whatever a writer that dies leaves behind, the next one finishes.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Any

from llmeval_core.support import Backoff
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.mlflow_errors import MlflowError
from llmeval_mlflow_tracker.model_runs import (
    create_run,
    delete_run,
    is_made_by_llmeval,
    name_unnamed_run,
    run_id,
    runs_of,
)

STATE_PARAM = "llmeval.state"
ELECTED = "canonical"
"""The state of the model's run, as it stands on servers."""
RETIRED = "void"
"""The state of a run that lost an election, as it stands on servers."""

_WAIT_FOR_CLAIM_S = 1.5
"""How long to wait for another writer to elect its run, seconds; waiting only saves calls."""
_POLLS = Backoff(first_s=0.1, longest_s=0.5, spread=(0.5, 1.5))


@dataclass(frozen=True, slots=True)
class ElectedRun:
    """A model's run, and other active runs with the same model's name.

    Any: mlflow's runs have no useful type information.

    Args:
        run: as it was read a moment ago.
        duplicates: runs with metrics, made by hand or by other tools, or restored after they were
            deleted.
        needed_election: it was not there at once, so other runs may have been created for the
            model.
    """

    run: Any
    duplicates: list[Any]
    needed_election: bool = False


def find_run(session: DeadlineSession, experiment_id: str, model: str) -> ElectedRun:
    """Find the model's elected run; elect one, and create one, if there is none.

    Raises:
        MlflowError: MLflow refused; `gone` if the experiment is deleted.
    """
    created: list[str] = []
    claim_expected_until = time.monotonic() + _WAIT_FOR_CLAIM_S
    waited_for_others = False
    n_searches = 0
    while True:
        runs = runs_of(session, experiment_id, model)
        n_searches += 1
        elected = next((run_id(run) for run in runs if state_of(run) == ELECTED), None)
        if elected is not None:
            break
        candidates = [run for run in runs if state_of(run) != RETIRED]
        if not candidates:
            if waited_for_others:
                created.append(
                    name_unnamed_run(session, experiment_id, model)
                    or create_run(session, experiment_id, model)
                )
            else:
                waited_for_others = True
                time.sleep(random.uniform(0, 0.15))  # noqa: S311  jitter
            continue
        oldest = candidates[0]
        is_anothers = is_made_by_llmeval(oldest) and run_id(oldest) not in created
        if is_anothers and time.monotonic() < claim_expected_until:
            time.sleep(_POLLS.wait_s(n_searches))
            continue
        elected = _elect(session, candidates)
        if elected is not None:
            break
    return _without_losers(session, runs, elected, created, needed_election=n_searches > 1)


def _without_losers(
    session: DeadlineSession,
    runs: list[Any],
    elected: str,
    created: list[str],
    *,
    needed_election: bool,
) -> ElectedRun:
    """Delete the runs that were created for the election and lost it."""
    others = [run for run in runs if run_id(run) != elected]
    losers = [run for run in others if _lost_election(run)]
    found = {run_id(run) for run in runs}
    not_found = (made for made in created if made not in found)
    for loser in (*map(run_id, losers), *not_found):
        if loser != elected:
            delete_run(session, loser)
    (run,) = (run for run in runs if run_id(run) == elected)
    return ElectedRun(run, [run for run in others if run not in losers], needed_election)


def _elect(session: DeadlineSession, candidates: list[Any]) -> str | None:
    """Retire all candidates but the oldest and elect that one.

    Returns:
        The elected run, which may be another writer's choice; None to search again.
    """
    for other in candidates[1:]:
        if _set_state(session, run_id(other), RETIRED) == ELECTED:
            return run_id(other)
    oldest = run_id(candidates[0])
    return oldest if _set_state(session, oldest, ELECTED) == ELECTED else None


def _set_state(session: DeadlineSession, target: str, state: str) -> str | None:
    """Set a run's state if it has none; return the state that it has, None if it is gone."""
    try:
        session.call("log_param", target, STATE_PARAM, state, synchronous=True)
    except MlflowError as err:
        if err.kind == "gone":
            return None
        if err.kind != "conflict":
            raise
        return state_of(session.call("get_run", target))
    return state


def state_of(run: Any) -> str | None:
    """Return `ELECTED`, `RETIRED`, or None for a candidate; Any: mlflow's run."""
    state = run.data.params.get(STATE_PARAM)
    return None if state is None else str(state)


def _lost_election(run: Any) -> bool:
    """Whether a run was created for an election, lost it, and so never got a metric."""
    return is_made_by_llmeval(run) and state_of(run) != ELECTED and not run.data.metrics
