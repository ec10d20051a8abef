"""The store without a server, on real SQLite files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from llmeval_mlflow_tracker.mlflow_check import check_mlflow
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import RunInfo, TaskResult, TrackerError
from plugins.trackers.mlflow_tracker.tests.writer_processes import WriterProcesses

ResultFactory = Callable[..., TaskResult]


def runs_in(home: Path, experiment: str = "model_evaluation") -> list[Any]:
    client: Any = MlflowClient(f"sqlite:///{home}/mlflow.db")  # Any: mlflow's types
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id]))


def table_file(home: Path, run: Any, name: str) -> Path:
    return home / "mlartifacts" / str(run.info.run_id) / "artifacts" / name


def artifacts_of(home: Path, run: Any) -> set[str]:
    return names_in(table_file(home, run, "x").parent)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store for the module: making one takes a second. Each test has its own experiment."""
    return tmp_path_factory.mktemp("embedded")


def test_six_processes_on_an_empty_directory_and_one_new_model_make_one_run(
    tmp_path: Path, writers: WriterProcesses
) -> None:
    home = tmp_path / "new"

    writers.deliver_together(6, home, "", "openai/gpt-x")

    (run,) = runs_in(home)
    assert run.data.metrics == {f"set{number}_0shot_accuracy": 0.5 for number in range(6)}


def test_mlflow_is_imported_while_another_process_makes_the_tables(tmp_path: Path) -> None:
    with FileLock(tmp_path / "mlflow.db.lock"):
        opening = subprocess.Popen(
            [sys.executable, "-c", OPEN_AND_TELL, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert opening.stdout is not None
        with opening.stdout as said:
            assert said.readline() == "imported\n"
            assert not (tmp_path / "mlflow.db").exists()
    opening.kill()
    opening.wait()


OPEN_AND_TELL = """
import asyncio, sys, time
from pathlib import Path
from llmeval_core.hooks import RunInfo
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

async def main():
    tracker = MlflowTracker(MlflowSettings())
    home = Path(sys.argv[1])
    opening = asyncio.create_task(tracker.open(RunInfo("mlflow", home, lambda _: {}, lambda _: ())))
    give_up_at = time.monotonic() + 100
    while not hasattr(sys.modules.get("mlflow.store.tracking.sqlalchemy_store"), "SqlAlchemyStore"):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.05)
    print("imported", flush=True)
    await opening

asyncio.run(main())
"""


async def test_everything_of_a_result_is_on_the_run(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="all")
    values = {"accuracy": 0.5, "accuracy/history": 0.25, "f1": None}

    receipt = await tracker.deliver(make_result(values=values, stderr=0.01))

    (run,) = runs_in(home, "all")
    assert receipt.location == f"sqlite:///{home}/mlflow.db"
    assert receipt.note == "not a number, so tags and not metrics: aio_0shot_f1: none"
    assert run.info.run_name == run.data.params["model_name"] == "openai/gpt-x"
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {
        "aio_0shot_accuracy": 0.5,
        "aio_0shot_accuracy_stderr": 0.01,
        "aio_0shot_accuracy/history": 0.25,
        "aio_0shot_accuracy/history_stderr": 0.01,
    }
    tags = run.data.tags
    assert tags["mlflow.llmeval.result.aio_0shot"] == "result-1"
    assert tags["mlflow.llmeval.definition.aio_0shot_accuracy"] == "accuracy@1"
    assert tags["llmeval.not_a_number.aio_0shot_f1"] == "none"
    assert tags["mlflow.llmeval.n_failed.aio_0shot"] == "0"
    assert tags["llmeval.provider"] == "openai"
    assert "| aio_0shot_accuracy&emsp; | 0.5000 | 0.0100, n=3 |" in tags["mlflow.note.content"]
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("aio", "f" * 32)
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "evaluation")]


async def test_a_table_is_replaced_when_a_task_is_evaluated_again(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="table", max_table_rows=2)

    await tracker.deliver(make_result("a", n_samples=2))
    receipt = await tracker.deliver(make_result("b", n_samples=3))

    (run,) = runs_in(home, "table")
    assert receipt.note == "aio_0shot.json has the first 2 of 3 samples"
    assert artifacts_of(home, run) == {"aio_0shot.json", "plans"}
    table = json.loads(table_file(home, run, "aio_0shot.json").read_text())
    assert [row[0] for row in table["data"]] == ["s0", "s1"]
    assert json.loads(run.data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "aio_0shot.json", "type": "table"}
    ]


async def test_standard_errors_and_tables_can_be_left_out(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="bare", stderr="none", max_table_rows=0)

    await tracker.deliver(make_result(stderr=0.01))

    (run,) = runs_in(home, "bare")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}
    assert "mlflow.loggedArtifacts" not in run.data.tags


async def test_metrics_without_the_last_tag_are_completed_without_a_new_revision(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="crash")
    await tracker.deliver(make_result())
    client: Any = MlflowClient(f"sqlite:///{home}/mlflow.db")  # Any: mlflow's types
    (run,) = runs_in(home, "crash")
    client.delete_tag(run.info.run_id, "mlflow.llmeval.result.aio_0shot")

    await tracker.deliver(make_result())

    history = client.get_metric_history(run.info.run_id, "aio_0shot_accuracy")
    assert [(point.value, point.step) for point in history] == [(0.5, 0)]
    (run,) = runs_in(home, "crash")
    assert run.data.tags["mlflow.llmeval.result.aio_0shot"] == "result-1"


async def test_a_replay_does_not_come_back_over_a_newer_result(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="overtaken")
    old = make_result("old", values={"accuracy": 0.9}, finished_at=1000)
    await tracker.deliver(old)
    await tracker.deliver(make_result("new", values={"accuracy": 0.1}, finished_at=2000))

    await tracker.deliver(old)

    (run,) = runs_in(home, "overtaken")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.1}
    assert run.data.tags["mlflow.llmeval.result.aio_0shot"] == "new old"


async def test_a_metric_that_becomes_a_number_is_no_longer_called_none(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="healed")
    await tracker.deliver(make_result("a", values={"accuracy": None}))

    await tracker.deliver(make_result("b", values={"accuracy": 0.5}))

    (run,) = runs_in(home, "healed")
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}
    assert "llmeval.not_a_number.aio_0shot_accuracy" not in run.data.tags


async def test_names_that_mlflow_refuses_keep_their_original_in_a_tag(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="names")

    await tracker.deliver(make_result(values={"pass@1": 0.5, "pass_1": 0.25}))

    (run,) = runs_in(home, "names")
    (made,) = [key for key in run.data.metrics if key != "aio_0shot_pass_1"]
    assert run.data.metrics == {made: 0.5, "aio_0shot_pass_1": 0.25}
    assert run.data.tags[f"mlflow.llmeval.name.{made}"] == "aio_0shot_pass@1"
    assert "| aio_0shot_pass@1&emsp; | 0.5000 |" in run.data.tags["mlflow.note.content"]


async def test_two_thousand_metrics_arrive(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="many", max_table_rows=0)
    values: dict[str, float | None] = {f"m/{number}": number / 2500 for number in range(2500)}

    await tracker.deliver(make_result(values=values))

    (run,) = runs_in(home, "many")
    assert len(run.data.metrics) == 2500
    assert run.data.tags["mlflow.llmeval.result.aio_0shot"] == "result-1"


async def test_a_run_made_by_hand_is_taken_over(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    client: Any = MlflowClient(f"sqlite:///{home}/mlflow.db")  # Any: mlflow's types
    tracker = await open_tracker(home, experiment="by hand")
    experiment_id = client.get_experiment_by_name("by hand").experiment_id
    by_hand = client.create_run(experiment_id)
    client.log_param(by_hand.info.run_id, "model_name", "openai/gpt-x")
    client.log_metric(by_hand.info.run_id, "aio_0shot_accuracy", 0.9)

    await tracker.deliver(make_result())

    (run,) = runs_in(home, "by hand")
    assert run.info.run_id == by_hand.info.run_id
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}


async def test_a_stray_mlruns_folder_does_not_matter(
    home: Path,
    tmp_path: Path,
    open_tracker: Callable[..., Any],
    make_result: ResultFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stray = tmp_path / "mlruns" / "0" / "meta.yaml"
    stray.parent.mkdir(parents=True)
    stray.write_text("artifact_location: nowhere\n")
    monkeypatch.chdir(tmp_path)

    tracker = await open_tracker(home, experiment="stray")
    await tracker.deliver(make_result())

    assert len(runs_in(home, "stray")) == 1
    assert names_in(tmp_path) == {"mlruns"}


async def test_a_folder_as_tracking_uri_is_refused_with_the_cure(tmp_path: Path) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=f"file://{tmp_path}/mlruns"))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(RunInfo("mlflow", tmp_path, lambda _: {}, lambda _: ()))
    await tracker.close()

    assert str(caught.value) == (
        f"MLflow no longer writes to folders such as file://{tmp_path}/mlruns\n"
        "  try:   leave tracking_uri out, or use sqlite:///mlflow.db or a server's URL"
    )


async def test_a_store_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tracker = MlflowTracker(MlflowSettings())

    with pytest.raises(TrackerError, match="cannot make the folder"):
        await tracker.open(
            RunInfo("mlflow", tmp_path / "file" / "home", lambda _: {}, lambda _: ())
        )
    await tracker.close()


async def test_the_doctor_sees_the_store(home: Path, open_tracker: Callable[..., Any]) -> None:
    await open_tracker(home)

    outcome = check_mlflow(home)

    assert (outcome.state, outcome.detail) == (
        "ok",
        f"sqlite:///{home}/mlflow.db answers and has 'model_evaluation'",
    )
