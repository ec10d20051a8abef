"""What the run says of itself besides its metrics, and that it stays true for months."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError

ResultFactory = Callable[..., TaskResult]
Client = Any  # mlflow's types are loose


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("living")


@pytest.fixture
def client(home: Path) -> Client:
    return MlflowClient(f"sqlite:///{home}/mlflow.db")


def one_run(client: Client, experiment: str) -> Any:
    found = client.get_experiment_by_name(experiment)
    (run,) = client.search_runs([found.experiment_id])
    return run


def text_of(client: Client, run: Any, path: str, folder: Path) -> str:
    return Path(client.download_artifacts(run.info.run_id, path, str(folder))).read_text()


async def test_the_plan_is_an_artifact_and_each_plan_is_stored_once(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    tracker = await open_tracker(home, experiment="plan")

    await tracker.deliver(make_result("a"))
    await tracker.deliver(make_result("b", dataset="niilc"))

    run = one_run(client, "plan")
    assert [file.path for file in client.list_artifacts(run.info.run_id, "plans")] == [
        f"plans/{'p' * 32}.json"
    ]
    plan = json.loads(text_of(client, run, f"plans/{'p' * 32}.json", tmp_path))
    assert plan["fingerprint"] == "p" * 32


async def test_a_budget_of_metrics_holds_and_the_rest_is_in_the_tables(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    tracker = await open_tracker(home, experiment="budget", max_metrics=2)
    values = {"accuracy": 0.5, "f1": 0.4, "rouge": 0.3, "accuracy/history": 0.2}

    receipt = await tracker.deliver(make_result(values=values))

    run = one_run(client, "budget")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5, "aio_0shot_f1": 0.4}
    assert receipt.note == (
        "2 scores are in the tables only: the run has its 2 metrics (setting max_metrics)"
    )
    assert "| aio_0shot_rouge&emsp; | 0.3000 |" in run.data.tags["mlflow.note.content"]
    table = json.loads(text_of(client, run, "aio_0shot.scores.json", tmp_path))
    assert [(row[0], row[2], row[-1]) for row in table["data"]] == [
        ("aio_0shot_accuracy", 0.5, True),
        ("aio_0shot_f1", 0.4, True),
        ("aio_0shot_rouge", 0.3, False),
        ("aio_0shot_accuracy/history", 0.2, False),
    ]


async def test_a_metric_that_the_run_has_is_overwritten_whatever_the_budget(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="full", max_metrics=1)
    await tracker.deliver(make_result("a", values={"f1": 0.4}))

    await tracker.deliver(make_result("b", values={"accuracy": 0.9, "f1": 0.1}))

    assert one_run(client, "full").data.metrics == {"aio_0shot_f1": 0.1}


async def test_standard_errors_can_be_in_the_tables_only(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="stderr", stderr="table")

    await tracker.deliver(make_result(stderr=0.0125))

    run = one_run(client, "stderr")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}
    assert (
        "| aio_0shot_accuracy&emsp; | 0.5000 | 0.0125, n=3 |"
        in run.data.tags["mlflow.note.content"]
    )


async def test_a_text_too_long_for_a_tag_is_whole_in_an_artifact(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    tracker = await open_tracker(home, experiment="long")
    result = make_result()
    essay = "text, no number. " * 1000
    (metric,) = result.metrics
    bad = metric.model_copy(
        update={"aggregate": metric.aggregate.model_copy(update={"value": essay})}
    )

    await tracker.deliver(result.model_copy(update={"metrics": (bad,)}))

    run = one_run(client, "long")
    tag = run.data.tags["llmeval.not_a_number.aio_0shot_accuracy"]
    assert len(tag) == 8000
    digest = tag.rpartition("-")[2]
    assert text_of(client, run, f"texts/{digest}.txt", tmp_path) == essay


async def test_a_long_model_name_is_whole_in_an_artifact(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    tracker = await open_tracker(home, experiment="long name")
    name = "local/" + "n" * 7000

    await tracker.deliver(make_result(model=name))

    run = one_run(client, "long name")
    digest = run.data.params["model_name"].rpartition("-")[2]
    assert run.info.run_name.endswith(digest)
    assert text_of(client, run, f"texts/{digest}.txt", tmp_path) == name


async def test_a_key_that_means_something_else_now_is_told(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    def defined(name: str, definition: str, **more: Any) -> TaskResult:
        result = make_result(name, **more)
        metric = result.metrics[0].model_copy(update={"definition": definition})
        return result.model_copy(update={"metrics": (metric,)})

    first = await open_tracker(home, experiment="definitions")
    await first.deliver(defined("a", "char_f1@one"))
    second = await open_tracker(home, experiment="definitions")

    other_model = await second.deliver(defined("b", "char_f1@two", model="openai/other"))
    same_model = await second.deliver(defined("c", "char_f1@two"))
    replay = await second.deliver(defined("c", "char_f1@two"))

    assert other_model.note == (
        "aio_0shot_accuracy is char_f1@two here, and char_f1@one for other models"
    )
    assert same_model.note == (
        "aio_0shot_accuracy was char_f1@one on this run, and is char_f1@two from now on"
    )
    assert replay.note == other_model.note


async def test_two_writers_that_read_at_the_same_moment_leave_a_whole_description(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    one = await open_tracker(home, experiment="settled")
    two = await open_tracker(home, experiment="settled")
    await one.deliver(make_result("a", dataset="aio"))
    run = one_run(client, "settled")
    stale = run.data.tags["mlflow.note.content"]
    tables = run.data.tags["mlflow.loggedArtifacts"]
    await two.deliver(make_result("b", dataset="niilc"))
    client.set_tag(run.info.run_id, "mlflow.note.content", stale)
    client.set_tag(run.info.run_id, "mlflow.loggedArtifacts", tables)

    await one.close()

    tags = one_run(client, "settled").data.tags
    assert "| niilc_0shot_accuracy&emsp; |" in tags["mlflow.note.content"]
    assert [entry["path"] for entry in json.loads(tags["mlflow.loggedArtifacts"])] == [
        "aio_0shot.json",
        "niilc_0shot.json",
    ]


async def test_artifacts_that_cannot_be_stored_now_do_not_hold_up_the_numbers(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="artifacts")
    await tracker.deliver(make_result("a"))
    folder = home / "mlartifacts" / one_run(client, "artifacts").info.run_id / "artifacts"
    hidden = folder.rename(folder.with_name("hidden"))
    folder.write_text("in the way")

    receipt = await tracker.deliver(make_result("b", dataset="niilc"))

    assert "artifacts of niilc_0shot: " in str(receipt.note)
    assert one_run(client, "artifacts").data.metrics["niilc_0shot_accuracy"] == 0.5
    folder.unlink()
    hidden.rename(folder)


async def test_a_store_for_artifacts_that_is_away_gets_them_later_and_the_numbers_are_there_now(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracker = await open_tracker(home, experiment="away")

    def away(*_: object, **__: object) -> None:
        raise ConnectionError("no route to the artifact store")

    monkeypatch.setattr(MlflowClient, "log_dict", away)
    with pytest.raises(TrackerError):
        await tracker.deliver(make_result())
    assert one_run(client, "away").data.metrics == {"aio_0shot_accuracy": 0.5}
    monkeypatch.undo()

    await tracker.deliver(make_result())

    run = one_run(client, "away")
    history = client.get_metric_history(run.info.run_id, "aio_0shot_accuracy")
    assert len(history) == 1
    assert "aio_0shot.json" in [file.path for file in client.list_artifacts(run.info.run_id)]
