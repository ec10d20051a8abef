"""Several runs of one model become one, whoever made them, and nothing on them is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_tracker.mlflow_client import DeadlineSession
from llmeval_mlflow_tracker.model_runs import DIGEST_TAG
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import TaskResult, TrackerError

ResultFactory = Callable[..., TaskResult]
Client = Any  # mlflow's types are loose
MODEL = "openai/gpt-x"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("healing")


@pytest.fixture
def client(home: Path) -> Client:
    return MlflowClient(f"sqlite:///{home}/mlflow.db")


def made_by_hand(client: Client, experiment: str, metrics: dict[str, float]) -> str:
    found = client.get_experiment_by_name(experiment)
    run = client.create_run(found.experiment_id, run_name="mine")
    client.log_param(run.info.run_id, "model_name", MODEL)
    client.log_param(run.info.run_id, "temperature", "0.7")
    client.set_tag(run.info.run_id, "team", "search")
    for key, value in metrics.items():
        client.log_metric(run.info.run_id, key, value)
    return str(run.info.run_id)


def active_runs(client: Client, experiment: str) -> list[Any]:
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id]))


async def test_a_duplicate_made_by_hand_is_merged_into_the_one_run(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    first = await open_tracker(home, experiment="merged")
    await first.deliver(make_result("a", values={"accuracy": 0.5}))
    (one,) = active_runs(client, "merged")
    stray = made_by_hand(client, "merged", {"aio_0shot_accuracy": 0.9, "jcqa_0shot_f1": 0.4})
    client.log_metric(stray, "jcqa_0shot_f1", 0.7, step=1)
    client.log_metric(stray, "broken", float("nan"))

    second = await open_tracker(home, experiment="merged")
    receipt = await second.deliver(make_result("b", dataset="niilc", values={"f1": 0.25}))

    (run,) = active_runs(client, "merged")
    assert run.info.run_id == one.info.run_id
    assert run.data.metrics == {
        "aio_0shot_accuracy": 0.5,
        "jcqa_0shot_f1": 0.7,
        "niilc_0shot_f1": 0.25,
    }
    history = client.get_metric_history(run.info.run_id, "jcqa_0shot_f1")
    assert [(point.step, point.value) for point in history] == [(0, 0.4), (1, 0.7)]
    assert run.data.params["temperature"] == "0.7"
    assert run.data.tags["team"] == "search"
    assert run.data.tags[f"mlflow.llmeval.merged.{stray}"] == "done"
    assert receipt.note == (
        f"run {stray} was a second run of this model: it is in the bin now, "
        f"1 of its metrics were carried over to run {run.info.run_id}"
    )
    assert client.get_run(stray).info.lifecycle_stage == "deleted"


async def test_several_runs_made_by_hand_before_llmeval_came_become_one(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    client.create_experiment("before", artifact_location=(home / "mlartifacts").as_uri())
    first = made_by_hand(client, "before", {"a": 0.1})
    made_by_hand(client, "before", {"b": 0.2})
    made_by_hand(client, "before", {"c": 0.3})

    tracker = await open_tracker(home, experiment="before")
    await tracker.deliver(make_result())

    (run,) = active_runs(client, "before")
    assert run.info.run_id == first
    assert run.data.metrics == {"a": 0.1, "b": 0.2, "c": 0.3, "aio_0shot_accuracy": 0.5}


async def test_healing_can_be_turned_off(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    await (await open_tracker(home, experiment="off")).deliver(make_result())
    made_by_hand(client, "off", {"jcqa_0shot_f1": 0.4})

    tracker = await open_tracker(home, experiment="off", heal=False)
    receipt = await tracker.deliver(make_result("b", dataset="niilc"))

    assert len(active_runs(client, "off")) == 2
    assert receipt.note is None


async def test_of_a_run_that_was_restored_from_the_bin_the_newer_values_win(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    first = await open_tracker(home, experiment="restored")
    await first.deliver(make_result("a", values={"accuracy": 0.9, "f1": 0.9}, finished_at=1000))
    (old,) = active_runs(client, "restored")
    client.delete_run(old.info.run_id)
    await first.deliver(make_result("b", values={"accuracy": 0.1}, finished_at=2000))
    client.restore_run(old.info.run_id)

    second = await open_tracker(home, experiment="restored")
    await second.deliver(make_result("c", dataset="niilc"))

    (run,) = active_runs(client, "restored")
    assert run.data.metrics == {
        "aio_0shot_accuracy": 0.1,
        "aio_0shot_f1": 0.9,
        "niilc_0shot_accuracy": 0.5,
    }


async def test_a_merge_that_was_cut_off_is_finished_by_the_next_writer(
    home: Path,
    client: Client,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await (await open_tracker(home, experiment="cut off")).deliver(make_result())
    stray = made_by_hand(client, "cut off", {"jcqa_0shot_f1": 0.4})
    real = DeadlineSession.call

    def die_at_the_history(self: DeadlineSession, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "get_metric_history":
            raise TrackerError("killed")
        return real(self, method, *args, **kwargs)

    monkeypatch.setattr(DeadlineSession, "call", die_at_the_history)
    cut_off = await open_tracker(home, experiment="cut off")
    with pytest.raises(TrackerError, match="killed"):
        await cut_off.deliver(make_result("b", dataset="niilc"))
    assert client.get_run(stray).info.lifecycle_stage == "deleted"
    monkeypatch.undo()

    await (await open_tracker(home, experiment="cut off")).deliver(make_result("b", dataset="n"))

    (run,) = active_runs(client, "cut off")
    assert run.data.metrics["jcqa_0shot_f1"] == 0.4


async def test_a_run_whose_maker_died_before_naming_it_is_adopted(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="orphan")
    await tracker.deliver(make_result())
    (run,) = active_runs(client, "orphan")
    digest = run.data.tags[DIGEST_TAG]
    client.delete_run(run.info.run_id)
    orphan = client.create_run(run.info.experiment_id, tags={DIGEST_TAG: digest})

    await tracker.deliver(make_result("b", dataset="niilc"))

    (found,) = active_runs(client, "orphan")
    assert found.info.run_id == orphan.info.run_id
    assert found.data.params["model_name"] == MODEL
