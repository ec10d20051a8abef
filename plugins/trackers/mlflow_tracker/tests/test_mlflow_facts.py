"""What MLflow does that the tracker is built on; if one of these fails, MLflow has changed.

Each runs on SQLite and on PostgreSQL, behind a server, with MLflow's own client.
"""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mlflow.entities import Dataset, DatasetInput, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

Client = Any  # mlflow's types are loose


@pytest.fixture(autouse=True)
def impatience(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def client(any_server: Any) -> Client:
    return MlflowClient(any_server.url)


@pytest.fixture
def experiment(client: Client, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", " ").replace("]", "")
    return str(client.create_experiment(name))


@pytest.fixture
def run(client: Client, experiment: str) -> str:
    return str(client.create_run(experiment).info.run_id)


def log(client: Client, run: str, *points: tuple[str, float, int, int]) -> None:
    client.log_batch(run, metrics=[Metric(*point) for point in points], synchronous=True)


def refusal_of(call: Callable[..., object], *arguments: object, **more: object) -> MlflowException:
    with pytest.raises(MlflowException) as caught:
        call(*arguments, **more)
    return caught.value


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ((0.9, 5000, 0), (0.5, 5000, 0), 0.9),
        ((0.9, 5000, 0), (0.5, 0, 0), 0.9),
        ((0.9, 5000, 1), (0.5, 9000, 0), 0.9),
        ((0.9, 5000, 0), (0.5, 0, 1), 0.5),
        ((0.9, 5000, 0), (0.5, 5000, 1), 0.5),
    ],
    ids=["value", "timestamp", "step", "step over timestamp", "step over value"],
)
def test_of_a_metrics_points_the_highest_step_timestamp_and_value_is_shown(
    *,
    client: Client,
    run: str,
    first: tuple[float, int, int],
    second: tuple[float, int, int],
    shown: float,
) -> None:
    log(client, run, ("m", *first))
    log(client, run, ("m", *second))

    assert client.get_run(run).data.metrics == {"m": shown}
    assert len(client.get_metric_history(run, "m")) == 2


def test_the_same_point_again_adds_nothing(client: Client, run: str) -> None:
    for _ in range(3):
        log(client, run, ("m", 0.5, 1000, 0))

    assert len(client.get_metric_history(run, "m")) == 1


def test_a_run_read_has_the_step_and_time_of_every_metric(client: Client, run: str) -> None:
    log(client, run, ("m", 0.5, 1000, 0), ("m", 0.25, 2000, 7))

    (metric,) = client.get_run(run).data.to_proto().metrics

    assert (metric.key, metric.value, metric.timestamp, metric.step) == ("m", 0.25, 2000, 7)


def test_infinity_is_kept_as_the_largest_float(client: Client, run: str) -> None:
    log(client, run, ("m", math.inf, 1000, 0))

    assert client.get_run(run).data.metrics["m"] == pytest.approx(1.7976931348623157e308)


def test_of_eight_writers_of_a_param_exactly_one_wins(client: Client, run: str) -> None:
    def claim(number: int) -> bool:
        try:
            client.log_param(run, "state", f"writer {number}")
        except MlflowException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(claim, range(8)))

    assert won.count(True) == 1
    assert client.get_run(run).data.params == {"state": f"writer {won.index(True)}"}


def test_a_param_is_written_once_and_the_same_value_is_welcome(client: Client, run: str) -> None:
    client.log_param(run, "state", "void")
    client.log_param(run, "state", "void")

    err = refusal_of(client.log_param, run, "state", "canonical")

    assert "Changing param values is not allowed" in str(err)
    assert err.error_code == "INVALID_PARAMETER_VALUE"


def test_a_finished_run_still_takes_metrics_and_a_deleted_one_does_not(
    client: Client, run: str
) -> None:
    client.set_terminated(run)
    log(client, run, ("m", 0.5, 1000, 0))
    client.delete_run(run)

    err = refusal_of(log, client, run, ("m", 0.75, 2000, 1))

    assert "must be in the 'active' state" in str(err)
    assert client.get_run(run).data.metrics == {"m": 0.5}


def test_a_deleted_experiment_keeps_its_name_and_can_be_restored(
    client: Client, experiment: str
) -> None:
    name = client.get_experiment(experiment).name
    client.delete_experiment(experiment)

    err = refusal_of(client.create_experiment, name)
    deleted = client.get_experiment_by_name(name)
    client.restore_experiment(experiment)

    assert err.error_code == "RESOURCE_ALREADY_EXISTS"
    assert (deleted.experiment_id, deleted.lifecycle_stage) == (experiment, "deleted")
    assert client.get_experiment(experiment).lifecycle_stage == "active"


@pytest.mark.parametrize(("n_metrics", "n_tags"), [(1001, 0), (0, 101), (950, 51)])
def test_a_request_beyond_the_limits_is_refused_whole(
    *, any_server: Any, client: Client, run: str, n_metrics: int, n_tags: int
) -> None:
    point = {"value": 0.5, "timestamp": 1000, "step": 0}
    body = {
        "run_id": run,
        "metrics": [{"key": f"m{number}", **point} for number in range(n_metrics)],
        "tags": [{"key": f"t{number}", "value": "x"} for number in range(n_tags)],
    }
    request = urllib.request.Request(
        f"{any_server.url}/api/2.0/mlflow/runs/log-batch",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    with caught.value as answer:
        assert answer.code == 400
    assert client.get_run(run).data.metrics == {}


def test_a_batch_at_the_limits_is_taken(client: Client, run: str) -> None:
    metrics = [Metric(f"m{number}", 0.5, 1000, 0) for number in range(900)]
    tags = [RunTag(f"t{number}", "x" * 8000) for number in range(100)]

    client.log_batch(run, metrics=metrics, tags=tags, synchronous=True)

    data = client.get_run(run).data
    assert len(data.metrics) == 900
    assert {len(data.tags[f"t{number}"]) for number in range(100)} == {8000}


def test_a_long_param_is_cut_without_a_word(client: Client, run: str) -> None:
    client.log_batch(run, params=[Param("p", "x" * 6001)], synchronous=True)

    assert client.get_run(run).data.params == {"p": "x" * 6000}


def test_a_filter_finds_a_pattern_and_minds_case(client: Client, experiment: str) -> None:
    for name in ("it's", "it_s", "GPT-4o", "gpt-4o"):
        client.log_param(client.create_run(experiment).info.run_id, "model_name", name)

    def found(condition: str) -> list[str]:
        runs = client.search_runs([experiment], f"params.model_name {condition}")
        return sorted(run.data.params["model_name"] for run in runs)

    assert found("LIKE 'it_s'") == ["it's", "it_s"]
    assert found("= 'gpt-4o'") == ["gpt-4o"]
    assert found("LIKE 'gpt-4o'") == ["gpt-4o"]


def test_a_search_sees_what_was_written_just_before_and_not_what_is_deleted(
    client: Client, experiment: str
) -> None:
    kept, binned = (client.create_run(experiment).info.run_id for _ in range(2))
    client.delete_run(binned)

    found = client.search_runs(
        [experiment], order_by=["attributes.start_time ASC", "attributes.run_id ASC"]
    )

    assert [run.info.run_id for run in found] == [kept]


def test_new_tags_written_by_eight_at_once_all_arrive_if_a_refusal_is_tried_again(
    client: Client, run: str
) -> None:
    def write(number: int) -> str | None:
        for _ in range(5):
            try:
                client.set_tag(run, "shared", str(number))
            except MlflowException as err:
                code = str(err.error_code)
                continue
            return None
        return code

    with ThreadPoolExecutor(8) as pool:
        failures = list(pool.map(write, range(8)))

    assert failures == [None] * 8
    assert client.get_run(run).data.tags["shared"] in map(str, range(8))


def test_inputs_are_stored_once(client: Client, run: str) -> None:
    aio = DatasetInput(Dataset("aio", "d" * 36, source_type="llmeval", source="aio"))
    for _ in range(2):
        client.log_inputs(run, datasets=[aio])

    assert len(client.get_run(run).inputs.dataset_inputs) == 1
