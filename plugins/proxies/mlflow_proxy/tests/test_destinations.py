"""The diagnosis looks at the tracker that jobs really use, wherever it delivers to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from llmeval_mlflow_proxy.diagnosis.destinations import Destination, find_destinations
from llmeval_mlflow_proxy.diagnosis.diagnose import Diagnosis, diagnose
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import FixedUpstream

from llmeval_core.hooks import Json, TrackerStatus
from plugins.proxies.mlflow_proxy.tests.fake_mlflow import Handler, fake_mlflow, replying
from plugins.proxies.mlflow_proxy.tests.route_server import route_context
from plugins.proxies.mlflow_proxy.tests.test_diagnosis import ACTIVE, BY_NAME, RUNS, run

MLFLOW = "http://mlflow:5000"


def used(
    name: str = "mlflow", *, delivered: int = 0, at: float | None = None, **config: Json
) -> TrackerStatus:
    """Make a tracker that a run has used."""
    whole: dict[str, Json] = {"use": "mlflow", "required": True, **config}
    return TrackerStatus(name, delivered, 0, 0, at, None, None, whole)


def found(
    home: Path, *tracker_statuses: TrackerStatus, origin: str | None = None, **environ: str
) -> list[Destination]:
    return find_destinations(tracker_statuses, read_settings(environ), home, origin=origin)


def test_without_any_it_is_the_usual_place(tmp_path: Path) -> None:
    others = TrackerStatus("wandb", 1, 0, 0, None, None, None, {"use": "wandb"})

    (usual,) = found(tmp_path, others)

    assert usual == Destination("mlflow", "model_evaluation")
    assert usual.is_shown


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        ({}, {}),
        ({}, {"MLFLOW_TRACKING_URI": MLFLOW}),
        ({"tracking_uri": MLFLOW}, {"MLFLOW_TRACKING_URI": f"{MLFLOW}/"}),
        ({"tracking_uri": "http://***@mlflow:5000"}, {"MLFLOW_TRACKING_URI": MLFLOW}),
        ({"use": f"mlflow:{MLFLOW}"}, {"MLFLOW_TRACKING_URI": MLFLOW}),
        ({"tracking_uri": "${OURS}"}, {"MLFLOW_TRACKING_URI": MLFLOW, "OURS": MLFLOW}),
        (
            {"tracking_uri": "http://localhost:5000"},
            {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"},
        ),
        ({"tracking_uri": "http://llmeval.example/proxy-mlflow"}, {"MLFLOW_TRACKING_URI": MLFLOW}),
        ({"tracking_uri": "sqlite:///{home}/mlflow.db"}, {}),
        (
            {"tracking_uri": "sqlite:///{home}/x.db"},
            {"MLFLOW_TRACKING_URI": "sqlite:///{home}/x.db"},
        ),
    ],
)
def test_a_tracker_of_the_mlflow_that_is_shown(
    tmp_path: Path, config: dict[str, str], environ: dict[str, str]
) -> None:
    written: dict[str, Any] = {  # Any: arguments of several types
        key: value.replace("{home}", str(tmp_path)) for key, value in config.items()
    }
    environ = {key: value.replace("{home}", str(tmp_path)) for key, value in environ.items()}

    (one,) = found(tmp_path, used(**written), origin="http://llmeval.example", **environ)

    assert one.is_shown


@pytest.mark.parametrize(
    ("uri", "place", "can_be_asked"),
    [
        ("http://other:5000", "http://other:5000", True),
        ("http://ann:geheim@other:5000", "http://other:5000", True),
        ("http://mlflow:5001", "http://mlflow:5001", True),
        ("http://mlflow:5000/team", "http://mlflow:5000/team", True),
        ("databricks", "databricks", False),
        ("sqlite:////elsewhere.db", "sqlite:////elsewhere.db", False),
        ("postgresql://ann:geheim@db/mlflow", "postgresql://db/mlflow", False),
        ("${NOT_SET_HERE}", "${NOT_SET_HERE}", False),
        ("http://[", "http://[", False),
    ],
)
def test_a_tracker_of_another_mlflow(
    tmp_path: Path, uri: str, place: str, *, can_be_asked: bool
) -> None:
    (one,) = found(tmp_path, used(tracking_uri=uri), MLFLOW_TRACKING_URI=MLFLOW)

    assert (one.place, one.server is not None) == (place, can_be_asked)
    assert "geheim" not in repr(one)


def test_what_is_shown_comes_first_then_what_was_used_last(tmp_path: Path) -> None:
    there = found(
        tmp_path,
        used("old", at=1.0, tracking_uri="http://old:1"),
        used("new", at=2.0, tracking_uri="http://new:1"),
        used("ours", experiment="quiz", required=False),
        MLFLOW_TRACKING_URI=MLFLOW,
    )

    assert [one.tracker for one in there] == ["ours", "new", "old"]
    assert (there[0].experiment, there[0].is_required) == ("quiz", False)


async def diagnosed(url: str, home: Path, *tracker_statuses: TrackerStatus) -> Diagnosis:
    settings = read_settings({"MLFLOW_TRACKING_URI": url})
    assert settings.mlflow is not None
    site = route_context(home, tracker_statuses=lambda: tracker_statuses)
    return await diagnose(FixedUpstream(settings.mlflow), site, settings=settings, origin=None)


def said(diagnosis: Diagnosis, topic: str) -> list[tuple[str, str]]:
    return [(one.state, one.detail("en")) for one in diagnosis.findings if one.topic == topic]


def experiments(known: Mapping[str, str]) -> Handler:
    """Make an MLflow's answer to what experiment has which name."""

    async def answer(request: web.Request) -> web.StreamResponse:
        text = known.get(request.query["experiment_name"])
        return await replying(text or "{}", status=200 if text else 404)(request)

    return answer


async def test_the_experiment_of_the_run_file_is_looked_at(tmp_path: Path) -> None:
    handlers = {
        BY_NAME: experiments({"quiz & more": ACTIVE}),
        RUNS: replying(json.dumps({"runs": [json.loads(run("r1", "a/b"))]})),
    }
    async with fake_mlflow(handlers) as url:
        diagnosis = await diagnosed(
            url, tmp_path, used("team", delivered=3, experiment="quiz & more")
        )

    assert said(diagnosis, "tracker") == [
        ("ok", "'team' delivers to the experiment 'quiz & more' of the MLflow shown here")
    ]
    assert said(diagnosis, "experiment") == [("ok", "'quiz & more' is there")]
    assert said(diagnosis, "runs") == [("ok", "runs: 1, models: 1; each model has one")]


async def test_another_server_is_asked_and_named(tmp_path: Path) -> None:
    handlers = {BY_NAME: experiments({"theirs": ACTIVE}), RUNS: replying('{"runs": []}')}
    async with fake_mlflow({}) as ours, fake_mlflow(handlers) as theirs:
        there = used(delivered=1, experiment="theirs", tracking_uri=theirs)
        diagnosis = await diagnosed(ours, tmp_path, there)

    assert said(diagnosis, "tracker") == [
        (
            "warning",
            f"'mlflow' delivers to the experiment 'theirs' of {theirs}, which is not the MLflow "
            "shown here",
        )
    ]
    assert [detail for _, detail in said(diagnosis, "server")] == [
        f"{ours} answers",
        f"{theirs} answers",
    ]
    assert said(diagnosis, "experiment") == [("ok", "'theirs' is there")]


async def test_several_trackers_are_all_looked_at_each_experiment_once(tmp_path: Path) -> None:
    handlers = {BY_NAME: experiments({"a": ACTIVE, "b": ACTIVE}), RUNS: replying('{"runs": []}')}
    trackers = [
        used("one", experiment="a"),
        used("two", experiment="b"),
        used("too", experiment="a"),
    ]
    async with fake_mlflow(handlers) as url:
        diagnosis = await diagnosed(url, tmp_path, *trackers)

    assert len(said(diagnosis, "tracker")) == 3
    assert said(diagnosis, "experiment") == [("ok", "'a' is there"), ("ok", "'b' is there")]


async def test_an_experiment_that_should_be_there_and_is_not(tmp_path: Path) -> None:
    async with fake_mlflow({BY_NAME: experiments({})}) as url:
        fresh = await diagnosed(url, tmp_path, used(delivered=0))
        lost = await diagnosed(url, tmp_path, used(delivered=7))

    assert said(fresh, "experiment") == [
        ("ok", "'model_evaluation' is not there yet; the first delivery makes it")
    ]
    assert said(lost, "experiment") == [
        (
            "warning",
            "'model_evaluation' is not there, though 'mlflow' has delivered 7 results",
        )
    ]


async def test_a_tracker_that_is_not_required_says_so(tmp_path: Path) -> None:
    async with fake_mlflow({}) as url:
        diagnosis = await diagnosed(url, tmp_path, used(required=False))

    (tracker,) = [one for one in diagnosis.findings if one.topic == "tracker"]
    assert tracker.hint("en") == "it is not required: jobs succeed though it lacks results"
