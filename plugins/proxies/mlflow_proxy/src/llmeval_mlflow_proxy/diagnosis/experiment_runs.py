"""The experiment and its runs; llmeval's tracker keeps one run for each model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from llmeval_core.hooks import Json
from llmeval_mlflow_proxy.diagnosis.destinations import Destination
from llmeval_mlflow_proxy.diagnosis.findings import Finding, FindingAction, FindingDetail
from llmeval_mlflow_proxy.diagnosis.mlflow_api import API, MlflowApi

_MODEL_PARAM = "model_name"
_STATE_PARAM = "llmeval.state"
_ELECTED = "canonical"
_PAGE_RUNS = 1000
_MOST_PAGES = 10
_MOST_SHOWN = 50
_NOT_PLAIN = re.compile(r"['\"\\%]")


@dataclass(frozen=True, slots=True)
class Experiment:
    """The experiment of the leaderboard."""

    id: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MlflowRun:
    """A run of a model.

    Args:
        id: its id.
        model: what its param `model_name` says; None if it has none.
        is_elected: whether the tracker has elected it as the model's run.
    """

    id: str
    model: str | None
    is_elected: bool


async def find_experiment(client: MlflowApi, name: str) -> Experiment | None:
    """Find an experiment; None if it is not there."""
    path = f"{API}/experiments/get-by-name?experiment_name={quote(name, safe='')}"
    found = (await client.get(path)).content.get("experiment")
    if not isinstance(found, dict):
        return None
    return Experiment(str(found["experiment_id"]), found.get("lifecycle_stage") == "active")


async def find_run(client: MlflowApi, experiment: Experiment, model: str) -> MlflowRun | None:
    """Find a model's run by its exact name: the elected one, else the oldest.

    MLflow's filter language has no escape, so a name with quotes, backslash or `%` is searched by
    a pattern.
    """
    if _NOT_PLAIN.search(model):
        condition = f"params.{_MODEL_PARAM} LIKE '{_NOT_PLAIN.sub('_', model)}'"
    else:
        condition = f"params.{_MODEL_PARAM} = '{model}'"
    runs, _ = await _search(client, experiment, condition)
    same = [run for run in runs if run.model == model]
    return next((run for run in same if run.is_elected), same[0] if same else None)


async def look_at_runs(client: MlflowApi, destination: Destination) -> list[Finding]:
    """Check whether the experiment exists, and whether each model has one run."""
    experiment = await find_experiment(client, destination.experiment)
    name: dict[str, str | int] = {
        "experiment": destination.experiment,
        "tracker": destination.tracker,
        "n_delivered": destination.n_delivered or 0,
    }
    if experiment is None and destination.n_delivered:
        return [
            Finding(
                "experiment",
                "warning",
                "experiment.lost",
                name,
                remedy="experiment.lost.remedy",
            )
        ]
    if experiment is None:
        return [Finding("experiment", "ok", "experiment.missing", name)]
    if not experiment.is_active:
        restore = FindingAction("restore", destination.tracker)
        return [
            Finding(
                "experiment",
                "warning",
                "experiment.deleted",
                name,
                remedy="experiment.deleted.remedy",
                action=restore,
            )
        ]
    # Links lead into the MLflow that is shown here.
    link = f"#/experiments/{experiment.id}" if destination.is_shown else None
    items = [FindingDetail(destination.experiment, link)]
    there = Finding("experiment", "ok", "experiment.there", name, items=items)
    runs, is_all = await _search(client, experiment, "")
    return [there, _finding(destination, experiment, runs, is_all=is_all)]


def _finding(
    destination: Destination, experiment: Experiment, runs: list[MlflowRun], *, is_all: bool
) -> Finding:
    by_model: dict[str, list[MlflowRun]] = {}
    for run in runs:
        if run.model is not None:
            by_model.setdefault(run.model, []).append(run)
    values: dict[str, str | int] = {
        "tracker": destination.tracker,
        "experiment": destination.experiment,
        "n_runs": f"{len(runs)}" if is_all else f"{len(runs)}+",
        "n_models": len(by_model),
        "n_nameless": sum(run.model is None for run in runs),
    }
    several = {model: found for model, found in by_model.items() if len(found) > 1}
    values["n_several"] = len(several)
    if not several:
        return Finding(
            "runs", "ok", "runs.nameless" if values["n_nameless"] else "runs.one", values
        )
    items = [
        FindingDetail(
            f"{model}: {run.id}",
            f"#/experiments/{experiment.id}/runs/{run.id}" if destination.is_shown else None,
        )
        for model, found in several.items()
        for run in found
    ]
    return Finding(
        "runs",
        "warning",
        "runs.several",
        values,
        remedy="runs.several.remedy",
        items=items[:_MOST_SHOWN],
        action=FindingAction("heal", destination.tracker),
    )


async def _search(
    client: MlflowApi, experiment: Experiment, condition: str
) -> tuple[list[MlflowRun], bool]:
    """List active runs, the oldest first, and whether those are all."""
    query: dict[str, Json] = {
        "experiment_ids": [experiment.id],
        "filter": condition,
        "max_results": _PAGE_RUNS,
        "order_by": ["attributes.start_time ASC", "attributes.run_id ASC"],
    }
    runs: list[MlflowRun] = []
    for _ in range(_MOST_PAGES):
        answer = await client.post(f"{API}/runs/search", query)
        runs += _runs_in(answer.content)
        token = answer.content.get("next_page_token")
        if not token:
            return runs, True
        query["page_token"] = token
    return runs, False


def _runs_in(content: Mapping[str, Any]) -> Iterator[MlflowRun]:  # Any: MLflow's JSON
    for run in content.get("runs", ()):
        params = {p["key"]: p.get("value", "") for p in run["data"].get("params", ())}
        is_elected = params.get(_STATE_PARAM) == _ELECTED
        yield MlflowRun(str(run["info"]["run_id"]), params.get(_MODEL_PARAM), is_elected)


async def restore_experiment(client: MlflowApi, name: str) -> bool:
    """Restore a deleted experiment; True if it is active now."""
    experiment = await find_experiment(client, name)
    if experiment is not None and not experiment.is_active:
        await client.post(f"{API}/experiments/restore", {"experiment_id": experiment.id})
        experiment = await find_experiment(client, name)
    return experiment is not None and experiment.is_active
