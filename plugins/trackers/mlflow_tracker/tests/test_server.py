"""The tracker against a real MLflow server."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_tracker.mlflow_check import check_mlflow
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import (
    ImagePart,
    Message,
    RunInfo,
    SampleResult,
    TaskResult,
    TextPart,
    TrackerError,
    Turn,
)
from llmeval_core.testing import make_generation, make_request, make_sample
from plugins.trackers.mlflow_tracker.tests.writer_processes import WriterProcesses

ResultFactory = Callable[..., TaskResult]

ODD_NAMES = [
    "local/it's",
    'local/say "hi"',
    "local/both ' and \"",
    "local/back\\slash\\",
    "local/100%_%",
    "local/日本語・モデル",
    "local/x' AND params.b = 'y",
    'local/"',
    "local/`tick`; -- /* */",
    "local/" + "n" * 7000,
    "local/GPT-4o",
    "local/gpt-4o",
]


def runs_of(url: str, experiment: str, model: str | None = None) -> list[Any]:
    client: Any = MlflowClient(url)  # Any: mlflow's types are loose
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id])
    return [run for run in runs if model is None or run.data.params.get("model_name") == model]


def table_rows(url: str, run: Any, path: str) -> list[dict[str, Any]]:
    """Fetch a table from the server; Any: mlflow's types are loose, and JSON."""
    client: Any = MlflowClient(url)
    table = json.loads(Path(client.download_artifacts(run.info.run_id, path)).read_text())
    return [dict(zip(table["columns"], cells, strict=True)) for cells in table["data"]]


async def test_results_of_one_model_land_in_one_run(
    server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=server.url, experiment="one")

    receipt = await tracker.deliver(make_result("a", dataset="aio"))
    await tracker.deliver(make_result("b", dataset="niilc", values={"f1": 0.25}))

    (run,) = runs_of(server.url, "one")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5, "niilc_0shot_f1": 0.25}
    assert receipt.location == (
        f"{server.url}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    )
    artifacts = MlflowClient(server.url).list_artifacts(run.info.run_id)
    assert [file.path for file in artifacts] == [
        "aio_0shot.json",
        "niilc_0shot.json",
        "plans",
    ]


async def test_the_server_s_table_has_the_conversation_of_a_sample(
    server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    image = ImagePart("image/png", b"\x89PNG" * 100_000)
    asked = replace(make_request(), messages=(Message("user", (TextPart("What is it?"), image)),))
    turns = (
        Turn("model", asked, make_generation("A cat.")),
        Turn("judge", make_request("Right?"), make_generation("yes")),
    )
    talk = SampleResult(0, make_sample(), asked, make_generation("A cat."), {}, turns=turns)
    tracker = await open_tracker(
        tracking_uri=server.url, experiment="turns", samples=lambda result: [talk]
    )

    await tracker.deliver(make_result("a", n_samples=1))

    (run,) = runs_of(server.url, "turns")
    (row,) = table_rows(server.url, run, "aio_0shot.json")
    assert row["conversation"] == (
        f"[user] What is it?\n(image/png, 400,000 bytes, sha256 {image.digest[:12]})\n"
        "[assistant] A cat.\n[to judge] Right?\n[judge] yes"
    )


async def test_a_new_value_is_shown_whatever_the_clock_and_the_old_one_stays_as_history(
    any_server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=any_server.url, experiment="overwrite")
    for name, value, finished_at in [("a", 0.9, 1000.0), ("b", 0.5, 995.0), ("c", 0.1, 995.0)]:
        result = make_result(name, values={"accuracy": value}, finished_at=finished_at)
        await tracker.deliver(result)

    (run,) = runs_of(any_server.url, "overwrite")
    history = MlflowClient(any_server.url).get_metric_history(run.info.run_id, "aio_0shot_accuracy")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.1}
    assert sorted((point.step, point.value) for point in history) == [(0, 0.9), (1, 0.5), (2, 0.1)]


async def test_a_replay_changes_nothing_even_from_another_tracker(
    any_server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    first = await open_tracker(tracking_uri=any_server.url, experiment="replay")
    await first.deliver(make_result())
    (before,) = runs_of(any_server.url, "replay")

    second = await open_tracker(tracking_uri=any_server.url, experiment="replay")
    await second.deliver(make_result())

    (after,) = runs_of(any_server.url, "replay")
    assert after.to_dictionary() == before.to_dictionary()


def test_four_processes_with_one_new_model_make_one_run(
    any_server: Any, tmp_path: Path, writers: WriterProcesses
) -> None:
    writers.deliver_together(4, tmp_path, any_server.url, "race/new-model")

    (run,) = runs_of(any_server.url, "model_evaluation", "race/new-model")
    assert run.data.metrics == {f"set{number}_0shot_accuracy": 0.5 for number in range(4)}


async def test_odd_model_names_find_their_own_run_again(
    any_server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    settings = {"tracking_uri": any_server.url, "experiment": "odd", "max_table_rows": 0}
    for round_number in range(2):
        tracker = await open_tracker(**settings)
        for number, model in enumerate(ODD_NAMES):
            name = f"{round_number}-{number}"
            result = make_result(name, model=model, values={f"m{round_number}": number / 100})
            await tracker.deliver(result)

    runs = runs_of(any_server.url, "odd")
    assert len(runs) == len(ODD_NAMES)
    found = sorted(tuple(sorted(run.data.metrics.items())) for run in runs)
    assert found == [
        (("aio_0shot_m0", number / 100), ("aio_0shot_m1", number / 100))
        for number in range(len(ODD_NAMES))
    ]


async def test_after_a_run_is_deleted_the_next_result_makes_a_new_one(
    any_server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=any_server.url, experiment="deleted run")
    await tracker.deliver(make_result("a"))
    (run,) = runs_of(any_server.url, "deleted run")
    MlflowClient(any_server.url).delete_run(run.info.run_id)

    await tracker.deliver(make_result("b", values={"f1": 0.25}))

    (other,) = runs_of(any_server.url, "deleted run")
    assert other.info.run_id != run.info.run_id
    assert other.data.metrics == {"aio_0shot_f1": 0.25}


async def test_after_the_experiment_is_deleted_the_next_result_restores_it(
    any_server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=any_server.url, experiment="deleted")
    await tracker.deliver(make_result("a"))
    client: Any = MlflowClient(any_server.url)  # Any: mlflow's types are loose
    client.delete_experiment(client.get_experiment_by_name("deleted").experiment_id)

    await tracker.deliver(make_result("b", values={"f1": 0.25}))
    await tracker.deliver(make_result("c", model="openai/other"))

    assert client.get_experiment_by_name("deleted").lifecycle_stage == "active"
    (run,) = runs_of(any_server.url, "deleted", "openai/gpt-x")
    assert run.data.metrics["aio_0shot_f1"] == 0.25
    assert len(runs_of(any_server.url, "deleted", "openai/other")) == 1


async def test_a_server_that_refuses_our_host_is_told_with_the_cure(
    server: Any, tmp_path: Path
) -> None:
    url = f"http://localhost:{server.port}"
    tracker = MlflowTracker(MlflowSettings(tracking_uri=url))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(RunInfo("mlflow", tmp_path, lambda _: {}, lambda _: ()))
    await tracker.close()

    host = f"localhost:{server.port}"
    assert caught.value.what == f"MLflow at {url} refuses requests for the host '{host}' (403)"
    assert f"MLFLOW_SERVER_ALLOWED_HOSTS={host}" in str(caught.value.hint)


async def test_a_frozen_server_costs_no_more_than_the_time_limit(
    server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(tracking_uri=server.url, experiment="frozen", timeout_s=2)
    await tracker.deliver(make_result("a"))
    server.signal(signal.SIGSTOP)
    started = time.monotonic()

    with pytest.raises(TrackerError) as caught:
        await tracker.deliver(make_result("b", values={"f1": 0.25}))
    took_s = time.monotonic() - started
    server.signal(signal.SIGCONT)
    await tracker.deliver(make_result("b", values={"f1": 0.25}))

    assert took_s < 3
    assert not caught.value.permanent
    (run,) = runs_of(server.url, "frozen")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5, "aio_0shot_f1": 0.25}


async def test_what_a_stopped_server_refused_is_delivered_once_it_is_back(
    server: Any, open_tracker: Callable[..., Any], make_result: ResultFactory, tmp_path: Path
) -> None:
    tracker = await open_tracker(tracking_uri=server.url, experiment="stopped", timeout_s=10)
    unopened = MlflowTracker(MlflowSettings(tracking_uri=server.url, experiment="stopped"))
    await tracker.deliver(make_result("a"))
    server.stop()
    started = time.monotonic()

    with pytest.raises(TrackerError) as caught:
        await tracker.deliver(make_result("b", values={"f1": 0.25}))
    with pytest.raises(TrackerError, match="cannot be reached"):
        await unopened.open(RunInfo("mlflow", tmp_path, lambda _: {}, lambda _: ()))
    took_s = time.monotonic() - started
    server.start()
    await tracker.deliver(make_result("b", values={"f1": 0.25}))
    await unopened.open(RunInfo("mlflow", tmp_path, lambda _: {}, lambda _: ()))
    await unopened.close()

    assert took_s < 10
    assert str(caught.value) == (
        f"MLflow at {server.url} cannot be reached: connection refused\n"
        "  try:   start it, or check tracking_uri"
    )
    (run,) = runs_of(server.url, "stopped")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5, "aio_0shot_f1": 0.25}


def test_the_doctor_says_that_a_server_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")

    outcome = check_mlflow(tmp_path)

    assert (outcome.state, outcome.detail, outcome.hint) == (
        "failed",
        "MLflow at http://127.0.0.1:9 cannot be reached: connection refused",
        "start it, or check tracking_uri",
    )
