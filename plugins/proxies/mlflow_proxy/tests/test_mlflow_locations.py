"""A real MLflow behind the proxy writes and reads nowhere but below its own artifact root."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities.model_registry import PromptVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from plugins.proxies.mlflow_proxy.tests.mlflow_requests import ask, said
from tests.mlflow_server import MlflowServer


@pytest.fixture
def client(mlflow_proxy: str) -> Any:  # Any: mlflow's types are loose
    return MlflowClient(mlflow_proxy)


def create(url: str, body: bytes) -> tuple[int, Any]:
    return ask(url, "POST", "/api/2.0/mlflow/experiments/create", body)


def test_mlflow_alone_writes_wherever_an_experiment_says(
    mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    """The reason for all of this; if MLflow mends it, the proxy's rules may go."""
    url = mlflow_server.url
    body = said({"name": uuid.uuid4().hex, "artifact_location": str(tmp_path / "out")})
    experiment = create(url, body)[1]["experiment_id"]
    run = MlflowClient(url).create_run(experiment).info.run_id

    path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=pwned"
    status, _ = ask(url, "POST", path, b"pwned")

    assert status == 200
    assert [file.name for file in (tmp_path / "out").rglob("*") if file.is_file()] == ["pwned"]


@pytest.mark.parametrize(
    "spell",
    [
        lambda name, place: said({"name": name, "artifact_location": place}),
        lambda name, place: said({"name": name, "artifactLocation": place}),
        lambda name, place: said({"name": name, "artifact_location": f"file://{place}"}),
        lambda name, place: said(json.dumps({"name": name, "artifact_location": place})),
        lambda name, place: json.dumps({"name": name, "artifact_location": place}).encode("utf-16"),
        lambda name, place: (
            f'{{"name": "{name}", "artifact_location": "{place}", "artifact_location": "{place}"}}'
        ).encode(),
        lambda name, place: said({"name": name, "artifact_location": "relative/place"}),
    ],
)
def test_no_experiment_is_made_elsewhere(
    mlflow_proxy: str, client: Any, tmp_path: Path, spell: Any
) -> None:
    name = uuid.uuid4().hex

    status, error = create(mlflow_proxy, spell(name, str(tmp_path / "out")))

    assert (status, error["error_code"]) == (403, "PERMISSION_DENIED")
    assert client.get_experiment_by_name(name) is None
    with pytest.raises(MlflowException, match="names a place that is not MLflow's own"):
        client.create_experiment(name, artifact_location="/etc")


def test_no_trace_is_read_from_elsewhere(mlflow_proxy: str, client: Any, tmp_path: Path) -> None:
    (tmp_path / "traces.json").write_text('{"spans": [], "secret": 1}')
    experiment = client.create_experiment(uuid.uuid4().hex)
    begin = {"experiment_id": experiment, "timestamp_ms": 1, "request_metadata": [], "tags": []}
    _, begun = ask(mlflow_proxy, "POST", "/api/2.0/mlflow/traces", said(begin))
    trace = begun["trace_info"]["request_id"]
    tag = {"key": "mlflow.artifactLocation", "value": str(tmp_path)}

    path = f"/api/3.0/mlflow/traces/{trace}/tags"
    by_tag, _ = ask(mlflow_proxy, "PATCH", path, said(tag))
    ended = {"timestamp_ms": 5, "status": "OK", "tags": [tag]}
    by_end, _ = ask(mlflow_proxy, "PATCH", f"/api/2.0/mlflow/traces/{trace}", said(ended))
    read = f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={trace}"

    assert (by_tag, by_end) == (403, 403)
    assert "secret" not in str(ask(mlflow_proxy, "GET", read)[1])


def test_what_people_do_with_mlflow_still_works(
    client: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    experiment = client.create_experiment(request.node.name, "mlflow-artifacts:/of-my-own")
    run = client.create_run(experiment).info
    (tmp_path / "MLmodel").write_text("a: b")
    client.log_artifact(run.run_id, str(tmp_path / "MLmodel"), "model")
    client.create_registered_model(name := uuid.uuid4().hex)

    version = client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
    prompt: PromptVersion = client.register_prompt(uuid.uuid4().hex, "Hello {{name}}")
    model = client.create_logged_model(experiment, name="external")
    client.set_experiment_tag(experiment, "mlflow.note.content", "# 説明")

    assert version.source.startswith("mlflow-artifacts:/of-my-own")
    assert prompt.version == 1
    assert model.artifact_location.startswith("mlflow-artifacts:/of-my-own")
    assert client.get_experiment(experiment).tags["mlflow.note.content"] == "# 説明"


@pytest.mark.parametrize(
    ("tag", "status"), [("mine", 200), ("mlflow.artifactLocation", 403)], ids=["own", "location"]
)
def test_a_trace_with_tags_of_ones_own_is_written_and_read(
    mlflow_proxy: str, client: Any, tag: str, status: int
) -> None:
    experiment = client.create_experiment(uuid.uuid4().hex)
    trace = uuid.uuid4().hex
    attributes = [{"key": f"mlflow.traceTag.{tag}", "value": {"stringValue": "/etc"}}]
    span = {"traceId": trace, "spanId": "cd" * 8, "name": "x", "attributes": attributes}
    body = said({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})

    headers = {"x-mlflow-experiment-id": experiment}
    answered, _ = ask(mlflow_proxy, "POST", "/v1/traces", body, **headers)

    assert answered == status
    _, found = ask(mlflow_proxy, "GET", f"/api/3.0/mlflow/traces/tr-{trace}")
    assert ("/etc" in str(found)) is (status == 200)
