"""Names that databases, file systems or MLflow refuse, each on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import (
    TaskResult,
)
from plugins.trackers.mlflow_tracker.tests.careless_metrics import with_values
from plugins.trackers.mlflow_tracker.tests.delivery_checks import runs_of

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]
Client = Any  # mlflow's types are loose


@pytest.fixture
def client(any_server: Any) -> Client:
    return MlflowClient(any_server.url)


@pytest.fixture
async def tracker(any_server: Any, experiment: str, open_tracker: TrackerFactory) -> Any:
    return await open_tracker(tracking_uri=any_server.url, experiment=experiment)


async def test_names_that_mlflow_refuses_stay_apart_and_tell_their_original(
    *, any_server: Any, tracker: Any, experiment: str, make_result: ResultFactory
) -> None:
    names = {
        "pass@1": 0.1,
        "pass(1": 0.2,
        "pass_1": 0.3,
        "f1　score": 0.4,
        "f1 score": 0.5,
        "面積（㎡）「全」": 0.6,
        "a" * 251 + "x": 0.7,
        "a" * 251 + "y": 0.8,
        "e\u0301": 0.9,
        "\u00e9": 0.95,
        "../up": 0.97,
        "a//b": 0.98,
    }

    await tracker.deliver(with_values(make_result(), dict(names)))

    (run,) = runs_of(any_server, experiment)
    assert sorted(run.data.metrics.values()) == sorted(names.values())
    originals = [
        text for tag, text in run.data.tags.items() if tag.startswith("mlflow.llmeval.name.")
    ]
    assert {f"aio_0shot_{name}" for name in names} <= {*originals, *run.data.metrics}


LONG = "n" * 9000
ODD_MODELS = [
    "no-provider",
    f"{LONG}/x",
    f"x/{LONG}",
    "nul\x00/in\x00side",
    "lone/\ud800surrogate",
    " lead/and trail ",
    "emoji/😀",
    "tab/\there\nline",
    "/",
    "x' AND params.b = 'y/z",
]


async def test_any_model_name_gets_a_run_of_its_own(
    *, any_server: Any, tracker: Any, experiment: str, make_result: ResultFactory
) -> None:
    for round_number in (0, 1):
        for number, model in enumerate(ODD_MODELS):
            result = make_result(
                f"{round_number}-{number}", model=model, values={f"m{round_number}": number / 64}
            )
            await tracker.deliver(result)

    found = sorted(
        tuple(sorted(run.data.metrics.items())) for run in runs_of(any_server, experiment)
    )
    assert found == [
        (("aio_0shot_m0", number / 64), ("aio_0shot_m1", number / 64))
        for number in range(len(ODD_MODELS))
    ]


async def test_odd_task_dataset_and_result_names_are_stored(
    *, any_server: Any, tracker: Any, client: Client, experiment: str, make_result: ResultFactory
) -> None:
    datasets = ["../../etc", "a/b?c#d%2F", "nul\x00", "日本語" * 200, "x" * 600, "\ud800", "e:f g"]

    for number, dataset in enumerate(datasets):
        result = make_result(f"r{number}", dataset=dataset, values={"m": number / 64})
        receipt = await tracker.deliver(result)
        assert receipt.note is None

    (run,) = runs_of(any_server, experiment)
    assert sorted(run.data.metrics.values()) == [n / 64 for n in range(len(datasets))]
    tables = [file.path for file in client.list_artifacts(run.info.run_id)]
    assert len([path for path in tables if path.endswith(".json")]) == len(datasets)
    assert len(run.inputs.dataset_inputs) == len(datasets)
