"""MLflow's own client uses the proxy as its tracking URI."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from tests.mlflow_server import MlflowServer

MIB = 1 << 20


@pytest.fixture
def client(mlflow_proxy: str) -> Any:  # Any: mlflow's types are loose
    return MlflowClient(mlflow_proxy)


def new_run(client: Any, request: pytest.FixtureRequest) -> str:
    experiment = client.create_experiment(request.node.name)
    return str(client.create_run(experiment).info.run_id)


def test_runs_are_written_and_read(client: Any, request: pytest.FixtureRequest) -> None:
    run = new_run(client, request)

    client.log_param(run, "model_name", "openai/日本語 'x' %2F")
    for step, value in enumerate([0.9, 0.5]):
        client.log_metric(run, "aio_0shot_accuracy", value, step=step)
    client.set_tag(run, "note", "line\nline")

    experiment = client.get_experiment_by_name(request.node.name).experiment_id
    (found,) = client.search_runs([experiment], "params.model_name LIKE '%日本語%'")
    assert found.info.run_id == run
    assert found.data.metrics == {"aio_0shot_accuracy": 0.5}
    assert found.data.tags["note"] == "line\nline"
    assert len(client.get_metric_history(run, "aio_0shot_accuracy")) == 2


def test_artifacts_of_any_name_and_size_go_up_and_down(
    client: Any, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run = new_run(client, request)
    made = tmp_path / "評価 結果 100%.bin"
    with made.open("wb") as file:
        for _ in range(64):
            file.write(os.urandom(MIB))

    client.log_artifact(run, str(made), "表/深い")
    (listed,) = client.list_artifacts(run, "表/深い")
    got = client.download_artifacts(run, listed.path, str(tmp_path / "down"))

    assert listed.path == f"表/深い/{made.name}"
    assert listed.file_size == 64 * MIB
    assert digest(Path(got)) == digest(made)


def test_errors_of_mlflow_stay_mlflows(client: Any) -> None:
    with pytest.raises(MlflowException) as caught:
        client.get_run("no-such-run")

    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_the_big_bundle_is_compressed_and_still_the_same(
    mlflow_proxy: str, mlflow_server: MlflowServer
) -> None:
    page = urllib.request.urlopen(f"{mlflow_proxy}/").read().decode()
    bundle = page.partition('src="static-files/static/js/main')[2].partition('"')[0]
    path = f"/static-files/static/js/main{bundle}"

    request = urllib.request.Request(mlflow_proxy + path, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request) as answer:
        body, headers = answer.read(), answer.headers
    direct = urllib.request.urlopen(mlflow_server.url + path).read()

    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == direct
    assert len(body) < len(direct) / 2
    again = urllib.request.Request(
        mlflow_proxy + path, headers={"Accept-Encoding": "gzip", "If-None-Match": headers["ETag"]}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(again)
    caught.value.close()
    assert caught.value.code == 304


def test_a_visitor_is_not_taken_for_somebody_on_the_servers_machine(mlflow_proxy: str) -> None:
    request = urllib.request.Request(f"{mlflow_proxy}/ajax-api/3.0/mlflow/assistant/config")

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    with caught.value as answer:
        assert json.loads(answer.read())["error_code"] == "PERMISSION_DENIED"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
