"""The experiment and its runs: one run a model is what llmeval's tracker keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from llmeval_core.hooks import Json
from llmeval_mlflow_proxy.diagnosis.asking import API, Asker
from llmeval_mlflow_proxy.diagnosis.destinations import Destination
from llmeval_mlflow_proxy.diagnosis.findings import Action, Finding, Item

_PARAM = "model_name"
_STATE = "llmeval.state"
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
class Run:
    """A run of a model.

    Args:
        id: its id.
        model: what its param `model_name` says; None if it has none.
        is_canonical: whether the tracker has chosen it.
    """

    id: str
    model: str | None
    is_canonical: bool


async def find_experiment(asker: Asker, name: str) -> Experiment | None:
    """Find an experiment; None if it is not there."""
    path = f"{API}/experiments/get-by-name?experiment_name={quote(name, safe='')}"
    found = (await asker.get(path)).content.get("experiment")
    if not isinstance(found, dict):
        return None
    return Experiment(str(found["experiment_id"]), found.get("lifecycle_stage") == "active")


async def find_run(asker: Asker, experiment: Experiment, model: str) -> Run | None:
    """Find a model's run, compared exactly; the chosen one, else the oldest.

    MLflow's filter language has no escape, so a name with quotes, backslash or `%` is searched by
    a pattern.
    """
    if _NOT_PLAIN.search(model):
        condition = f"params.{_PARAM} LIKE '{_NOT_PLAIN.sub('_', model)}'"
    else:
        condition = f"params.{_PARAM} = '{model}'"
    runs, _ = await _search(asker, experiment, condition)
    same = [run for run in runs if run.model == model]
    return next((run for run in same if run.is_canonical), same[0] if same else None)


async def look_at_runs(asker: Asker, destination: Destination) -> list[Finding]:
    """Find out whether the experiment is there, and whether each model has one run."""
    experiment = await find_experiment(asker, destination.experiment)
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
                cure="experiment.lost.cure",
            )
        ]
    if experiment is None:
        return [Finding("experiment", "ok", "experiment.missing", name)]
    if not experiment.is_active:
        restore = Action("restore", destination.tracker)
        return [
            Finding(
                "experiment",
                "warning",
                "experiment.deleted",
                name,
                cure="experiment.deleted.cure",
                action=restore,
            )
        ]
    # Links lead into the MLflow that is shown here.
    link = f"#/experiments/{experiment.id}" if destination.is_shown else None
    items = [Item(destination.experiment, link)]
    there = Finding("experiment", "ok", "experiment.there", name, items=items)
    runs, is_all = await _search(asker, experiment, "")
    return [there, _finding(destination, experiment, runs, is_all=is_all)]


def _finding(
    destination: Destination, experiment: Experiment, runs: list[Run], *, is_all: bool
) -> Finding:
    by_model: dict[str, list[Run]] = {}
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
        Item(
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
        cure="runs.several.cure",
        items=items[:_MOST_SHOWN],
        action=Action("heal", destination.tracker),
    )


async def _search(asker: Asker, experiment: Experiment, condition: str) -> tuple[list[Run], bool]:
    """List active runs, the oldest first, and tell whether that is all of them."""
    query: dict[str, Json] = {
        "experiment_ids": [experiment.id],
        "filter": condition,
        "max_results": _PAGE_RUNS,
        "order_by": ["attributes.start_time ASC", "attributes.run_id ASC"],
    }
    runs: list[Run] = []
    for _ in range(_MOST_PAGES):
        answer = await asker.post(f"{API}/runs/search", query)
        runs += _runs_in(answer.content)
        token = answer.content.get("next_page_token")
        if not token:
            return runs, True
        query["page_token"] = token
    return runs, False


def _runs_in(content: Mapping[str, Any]) -> Iterator[Run]:  # Any: MLflow's JSON
    for run in content.get("runs", ()):
        params = {p["key"]: p.get("value", "") for p in run["data"].get("params", ())}
        is_canonical = params.get(_STATE) == "canonical"
        yield Run(str(run["info"]["run_id"]), params.get(_PARAM), is_canonical)


async def restore_experiment(asker: Asker, name: str) -> bool:
    """Take an experiment out of MLflow's bin; True if it is active now."""
    experiment = await find_experiment(asker, name)
    if experiment is not None and not experiment.is_active:
        await asker.post(f"{API}/experiments/restore", {"experiment_id": experiment.id})
        experiment = await find_experiment(asker, name)
    return experiment is not None and experiment.is_active
