"""The traps of MLflow that cost others their numbers, each on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from mlflow.tracking import MlflowClient

from llmeval_core.hooks import (
    Generation,
    RunInfo,
    Sample,
    SampleResult,
    Score,
    TaskResult,
    TrackerError,
)
from llmeval_core.testing import run_info
from plugins.trackers.mlflow_tracker.tests.careless_metrics import with_values
from plugins.trackers.mlflow_tracker.tests.delivery_checks import runs_of
from plugins.trackers.mlflow_tracker.tests.fault_proxy import FaultProxy

ResultFactory = Callable[..., TaskResult]
TrackerFactory = Callable[..., Awaitable[Any]]
Client = Any  # mlflow's types are loose


@pytest.fixture
def client(any_server: Any) -> Client:
    return MlflowClient(any_server.url)


@pytest.fixture
async def tracker(any_server: Any, experiment: str, open_tracker: TrackerFactory) -> Any:
    return await open_tracker(tracking_uri=any_server.url, experiment=experiment)


def table_of(client: Client, run: Any, folder: Path) -> dict[str, list[Any]]:
    file = client.download_artifacts(run.info.run_id, "aio_0shot.json", str(folder))
    table: dict[str, list[Any]] = json.loads(Path(file).read_text())
    return table


async def test_a_lower_value_wins_in_the_same_millisecond_and_with_the_clock_set_back(
    *, any_server: Any, tracker: Any, client: Client, experiment: str, make_result: ResultFactory
) -> None:
    await tracker.deliver(make_result("other", dataset="niilc", values={"f1": 0.75}))
    for name, value, finished_at in [("a", 0.9, 1000.0), ("b", 0.5, 1000.0), ("c", 0.4, 995.0)]:
        await tracker.deliver(
            make_result(name, values={"accuracy": value}, finished_at=finished_at)
        )
        (run,) = runs_of(any_server, experiment)
        assert run.data.metrics == {"aio_0shot_accuracy": value, "niilc_0shot_f1": 0.75}

    history = client.get_metric_history(run.info.run_id, "niilc_0shot_f1")
    assert [point.step for point in history] == [0]


async def test_what_is_no_number_takes_nothing_with_it_and_is_never_0(
    *, any_server: Any, tracker: Any, experiment: str, make_result: ResultFactory
) -> None:
    values: dict[str, object] = {
        "a": 0.25,
        "b": "abc",
        "c": "85.3%",
        "d": float("nan"),
        "e": None,
        "f": True,
        "g": "1e999",
        "h": float("inf"),
        "i": 0.75,
    }

    receipt = await tracker.deliver(with_values(make_result(), values))

    (run,) = runs_of(any_server, experiment)
    numbers = {key.removeprefix("aio_0shot_"): value for key, value in run.data.metrics.items()}
    assert numbers == {"a": 0.25, "c": 0.853, "i": 0.75, **({"f": 1.0} if "f" in numbers else {})}
    assert "abc" in str(receipt.note)
    for name in "bdegh":
        assert f"llmeval.not_a_number.aio_0shot_{name}" in run.data.tags
    assert run.data.tags["mlflow.llmeval.result.aio_0shot"] == "result-1"
    assert run.data.params["model_name"] == "openai/gpt-x"


async def test_more_than_a_batch_of_metrics_and_tags_arrives_whole(
    *, any_server: Any, tracker: Any, experiment: str, make_result: ResultFactory
) -> None:
    numbers = {f"n{number}": number / 4096 for number in range(2500)}
    texts = {f"t{number}": f"text {number}" for number in range(250)}

    await tracker.deliver(with_values(make_result(), {**numbers, **texts}))

    (run,) = runs_of(any_server, experiment)
    assert run.data.metrics == {f"aio_0shot_{name}": value for name, value in numbers.items()}
    for name, text in texts.items():
        assert text in run.data.tags[f"llmeval.not_a_number.aio_0shot_{name}"]
    assert run.info.status == "FINISHED"


async def test_the_table_of_a_task_is_replaced_on_a_server_too(
    *,
    any_server: Any,
    tracker: Any,
    client: Client,
    experiment: str,
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    await tracker.deliver(make_result("a", n_samples=20))
    await tracker.deliver(make_result("b", n_samples=5, values={"accuracy": 0.25}))

    (run,) = runs_of(any_server, experiment)
    assert len(table_of(client, run, tmp_path)["data"]) == 5


async def test_an_answer_with_half_an_emoji_and_a_nul_is_in_the_table_and_in_a_trace(
    *,
    any_server: Any,
    client: Client,
    experiment: str,
    make_result: ResultFactory,
    tmp_path: Path,
) -> None:
    odd = "half \ud83d, nul \x00, \U0001f600"
    sample = SampleResult(
        0,
        Sample("s\x000", odd, (odd,)),
        None,
        Generation((odd,)),
        {"accuracy": Score(1.0, parsed=odd)},
    )
    info = RunInfo("mlflow", tmp_path, lambda _: {"fingerprint": odd}, lambda _: [sample])
    settings = MlflowSettings(tracking_uri=any_server.url, experiment=experiment, traces=1)
    tracker = MlflowTracker(settings)
    await tracker.open(info)

    receipt = await tracker.deliver(make_result(n_samples=1))
    await tracker.close()

    (run,) = runs_of(any_server, experiment)
    assert receipt.note is None
    assert run.data.metrics == {"aio_0shot_accuracy": 0.5}
    (row,) = table_of(client, run, tmp_path)["data"]
    assert odd in row
    found = client.search_traces(locations=[run.info.experiment_id], run_id=run.info.run_id)
    assert len(found) == 1


async def test_many_writers_of_one_known_model_lose_nothing_to_each_other(
    *,
    any_server: Any,
    tracker: Any,
    experiment: str,
    open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:
    await tracker.deliver(make_result("first", dataset="first"))
    writers = [
        await open_tracker(tracking_uri=any_server.url, experiment=experiment) for _ in range(8)
    ]

    await asyncio.gather(
        *(
            writer.deliver(make_result(f"r{number}", dataset=f"set{number}"))
            for number, writer in enumerate(writers)
        )
    )
    for writer in writers:
        await writer.close()

    (run,) = runs_of(any_server, experiment)
    keys = {"first_0shot_accuracy", *(f"set{number}_0shot_accuracy" for number in range(8))}
    assert run.data.metrics == dict.fromkeys(keys, 0.5)
    note, tables = run.data.tags["mlflow.note.content"], run.data.tags["mlflow.loggedArtifacts"]
    assert all(f"| {key}&emsp; |" in note for key in keys)
    assert len(json.loads(tables)) == 9


async def test_an_experiment_that_was_in_the_bin_is_used_again(
    *, any_server: Any, client: Client, experiment: str, open_tracker: TrackerFactory,
    make_result: ResultFactory,
) -> None:  # fmt: skip
    client.delete_experiment(client.create_experiment(experiment))

    tracker = await open_tracker(tracking_uri=any_server.url, experiment=experiment)
    await tracker.deliver(make_result())

    assert client.get_experiment_by_name(experiment).lifecycle_stage == "active"
    assert len(runs_of(any_server, experiment)) == 1


async def test_an_experiment_name_that_does_not_fit_is_told_in_a_line(
    any_server: Any, tmp_path: Path
) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=any_server.url, experiment="e" * 501))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(tmp_path))
    await tracker.close()

    assert str(caught.value) == (
        f"MLflow at {any_server.url}: INVALID_PARAMETER_VALUE: "
        "'name' exceeds the maximum length of 500 characters"
    )


@pytest.fixture
def compose_proxy(server: Any) -> Iterator[FaultProxy]:
    """Reach the server under the name that it has in Docker Compose."""
    proxy = FaultProxy(server.url, host="mlflow:5000")
    yield proxy
    proxy.close()


async def test_the_servers_own_refusal_of_a_compose_name_is_recognised(
    compose_proxy: FaultProxy, tmp_path: Path
) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=compose_proxy.url))

    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(tmp_path))
    await tracker.close()

    assert "refuses requests for the host" in caught.value.what
    assert "MLFLOW_SERVER_ALLOWED_HOSTS=" in str(caught.value.hint)
