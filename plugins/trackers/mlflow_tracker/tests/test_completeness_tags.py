"""What belongs together changes together, and what is less complete takes nobody's place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_tracker.metric_points import MetricPoint
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from llmeval_mlflow_tracker.withdrawal import withdrawn
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import ComponentConfig, Generation, Sample, Score, TaskDefaults, TaskResult
from llmeval_core.testing import FakeDataset, FakeMetric, run_in

ResultFactory = Callable[..., TaskResult]
Client = Any  # mlflow's types are loose


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("standing")


@pytest.fixture
def client(home: Path) -> Client:
    return MlflowClient(f"sqlite:///{home}/mlflow.db")


def one_run(client: Client, experiment: str) -> Any:
    found = client.get_experiment_by_name(experiment)
    (run,) = client.search_runs([found.experiment_id])
    return run


def numbers(client: Client, experiment: str) -> dict[str, float]:
    """Return the metrics that are not taken back."""
    metrics = one_run(client, experiment).data.metrics
    return {key: value for key, value in metrics.items() if not math.isnan(value)}


async def test_a_smoke_run_of_another_machine_takes_no_ones_place(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    """Case n3-limit-overwrites: two journals, one run in MLflow."""
    tracker = await open_tracker(home, experiment="smoke")
    await tracker.deliver(make_result("full", n_samples=24, n_total=24, stderr=0.1))

    smoke = make_result("smoke", values={"accuracy": 1.0}, n_samples=1, n_total=24)
    receipt = await tracker.deliver(smoke)

    assert numbers(client, "smoke") == {
        "aio_0shot_accuracy": 0.5,
        "aio_0shot_accuracy_stderr": 0.1,
    }
    assert receipt.note == (
        "aio_0shot: 1 samples (0 failed) give way to the more complete numbers of 24 samples that"
        " the run has; --replace puts them there"
    )


async def test_what_the_new_result_lacks_is_taken_back(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    """Case n3-limit-overwrites: a value of the new run beside the standard error of the old one."""
    tracker = await open_tracker(home, experiment="together")
    values = {"accuracy": 0.5, "accuracy/history": 0.4, "accuracy/歴史": 0.3, "f1": 0.2}
    await tracker.deliver(make_result("full", values=values, stderr=0.1, n_samples=24, n_total=24))

    meant = make_result(
        "meant",
        values={"accuracy": 1.0, "accuracy/arts": 1.0},
        n_samples=1,
        n_total=24,
        replaces=True,
        finished_at=1_800_000_000.0,
    )
    await tracker.deliver(meant)
    await tracker.deliver(meant)

    assert numbers(client, "together") == {
        "aio_0shot_accuracy": 1.0,
        "aio_0shot_accuracy/arts": 1.0,
        "aio_0shot_f1": 0.2,
        "aio_0shot_f1_stderr": 0.1,
    }
    note = one_run(client, "together").data.tags["mlflow.note.content"]
    assert "history" not in note
    assert "nan" not in note.lower()


async def test_what_was_taken_back_can_come_again(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="again")
    for number, values in enumerate(({"a": 0.5, "a/x": 0.4}, {"a": 0.6}, {"a": 0.7, "a/x": 0.9})):
        at = 1_700_000_000.0 + number
        await tracker.deliver(make_result(str(number), values=values, finished_at=at))

    assert numbers(client, "again") == {"aio_0shot_a": 0.7, "aio_0shot_a/x": 0.9}


async def test_a_metric_that_the_run_lacks_is_taken_of_a_smoke_run(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="new metric")
    await tracker.deliver(make_result("full", n_samples=24, n_total=24))

    values = {"accuracy": 1.0, "f1": 0.9}
    await tracker.deliver(make_result("smoke", values=values, n_samples=1, n_total=24))

    assert numbers(client, "new metric") == {"aio_0shot_accuracy": 0.5, "aio_0shot_f1": 0.9}


async def test_a_run_of_an_older_version_is_judged_by_its_counts(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="older")
    await tracker.deliver(make_result("full", n_samples=24, n_total=24))
    run = one_run(client, "older")
    client.delete_tag(run.info.run_id, "mlflow.llmeval.coverage.aio_0shot")

    smoke = make_result("smoke", values={"accuracy": 1.0}, n_samples=1, n_total=24)
    await tracker.deliver(smoke)

    assert numbers(client, "older") == {"aio_0shot_accuracy": 0.5}


class NoVerdict(FakeMetric):
    """Cannot score some samples."""

    def __init__(self, cannot: str = "") -> None:
        super().__init__("judged@1")
        self._cannot = cannot

    def score(self, sample: Sample, generation: Generation) -> Score:
        if sample.id in self._cannot:
            raise ValueError("no verdict")
        return Score(float(sample.id == "0"))


async def test_a_metric_that_could_not_score_some_samples_changes_no_other_number(
    home: Path, client: Client, tmp_path: Path
) -> None:
    data = FakeDataset(
        5,
        defaults=TaskDefaults(metrics=(ComponentConfig(use="fake"), ComponentConfig(use="judged"))),
    )
    tracker = MlflowTracker(
        MlflowSettings(experiment="partial", tracking_uri=f"sqlite:///{home}/mlflow.db")
    )

    async def run(folder: str, metrics: dict[str, FakeMetric]) -> None:
        await run_in(
            tmp_path / folder,
            datasets={"fake": data},
            metrics=metrics,
            trackers={"mlflow": tracker},
        )

    await run("a", {"fake": FakeMetric(), "judged": NoVerdict("34")})
    first, described = numbers(client, "partial"), one_run(client, "partial").data.tags
    await run("b", {"fake": FakeMetric(), "judged": NoVerdict()})
    whole = numbers(client, "partial")
    await run("c", {"fake": FakeMetric(), "judged": NoVerdict("01")})

    assert first["fake_0shot_fake"] == whole["fake_0shot_fake"] == 1.0
    assert first["fake_0shot_judged"] == pytest.approx(1 / 3)
    assert whole["fake_0shot_judged"] == pytest.approx(1 / 5)
    assert numbers(client, "partial") == whole  # the judge's third number gives way
    assert json.loads(described["mlflow.llmeval.coverage.fake_0shot"]) == {
        "fake": [5, 5, 0, True],
        "judged": [5, 5, 2, True],
    }
    rows = described["mlflow.note.content"].splitlines()
    assert [row.rpartition("n=")[2].partition(" ")[0] for row in rows if "| fake_0shot" in row] == [
        "5",
        "3",
    ]


async def test_conditions_that_changed_under_a_key_are_told(
    home: Path, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="conditions")
    settings = {"prompt": {"template": "a"}, "metrics": {"accuracy": {"definition": "x"}}}
    first = await tracker.deliver(make_result("a", settings=settings))

    changed = {**settings, "prompt": {"template": "b", "system": "c"}}
    second = await tracker.deliver(make_result("b", settings=changed))

    assert first.note is None
    assert second.note == ("aio_0shot: changed under the same key: prompt.system, prompt.template")


def test_a_metric_that_is_called_like_anothers_standard_error_stays(
    make_result: ResultFactory,
) -> None:
    point = MetricPoint(0.5, 0, 0)
    latest = dict.fromkeys(("aio_0shot_accuracy", "aio_0shot_accuracy_stderr"), point)
    tags = {"mlflow.llmeval.definition.aio_0shot_accuracy_stderr": "mine@1"}

    taken_back = withdrawn(make_result(), ["aio_0shot_accuracy"], latest, tags)

    assert taken_back == {}


async def test_the_description_says_how_sure_a_number_is_and_of_how_many_samples(
    home: Path, client: Client, open_tracker: Callable[..., Any], make_result: ResultFactory
) -> None:
    tracker = await open_tracker(home, experiment="sure")
    made = make_result("a", values={"accuracy": 0.0, "f1": 0.4}, stderr=0.0, n_samples=30)
    accuracy, f1 = made.metrics
    sure = accuracy.aggregate.model_copy(update={"interval": (0.0, 0.1135)})
    accuracy = accuracy.model_copy(update={"aggregate": sure})
    await tracker.deliver(made.model_copy(update={"metrics": (accuracy, f1)}))

    await tracker.deliver(make_result("b", values={"f1": 0.5}, n_samples=40))

    note = one_run(client, "sure").data.tags["mlflow.note.content"]
    assert "| aio_0shot_accuracy&emsp; | 0.0000 | [0.0000, 0.1135], n=30 |" in note
    assert "| aio_0shot_f1&emsp; | 0.5000 | n=40 |" in note
