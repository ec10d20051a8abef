"""The diagnosis names what is wrong, with the cure, and never a secret."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from llmeval_mlflow_proxy.diagnosis.diagnose import Diagnosis, diagnose
from llmeval_mlflow_proxy.diagnosis.diagnosis_texts import translations
from llmeval_mlflow_proxy.diagnosis.findings import Finding, FindingAction
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import FixedUpstream

from llmeval_core.hooks import LlmevalError, TrackerStatus
from plugins.proxies.mlflow_proxy.tests.fake_mlflow import Handler, fake_mlflow, replying
from plugins.proxies.mlflow_proxy.tests.route_server import route_context

SEARCH = "/api/2.0/mlflow/experiments/search"
BY_NAME = "/api/2.0/mlflow/experiments/get-by-name"
RUNS = "/api/2.0/mlflow/runs/search"
ACTIVE = '{"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}}'


def run(run_id: str, model: str | None) -> str:
    params = "" if model is None else f'{{"key": "model_name", "value": "{model}"}}'
    return f'{{"info": {{"run_id": "{run_id}"}}, "data": {{"params": [{params}]}}}}'


async def diagnosed(url: str, home: Path, **functions: Any) -> Diagnosis:
    environ = {"MLFLOW_TRACKING_URI": url}
    settings = read_settings(environ)
    assert settings.mlflow is not None
    return await diagnose(
        FixedUpstream(settings.mlflow),
        route_context(home, **functions),
        settings=settings,
        origin="http://llmeval.example",
    )


def the(diagnosis: Diagnosis, topic: str) -> Finding:
    (finding,) = [finding for finding in diagnosis.findings if finding.topic == topic]
    return finding


async def found(home: Path, topic: str, handlers: dict[str, Handler], **more: Any) -> Finding:
    async with fake_mlflow(handlers, **more) as url:
        return the(await diagnosed(url, home), topic)


async def test_a_good_server_has_nothing_but_good_findings(tmp_path: Path) -> None:
    pages = replying(f'{{"runs": [{run("r1", "a/b")}, {run("r2", "c/d")}]}}')
    async with fake_mlflow({BY_NAME: replying(ACTIVE), RUNS: pages}) as url:
        diagnosis = await diagnosed(url, tmp_path)

    assert [(finding.topic, finding.state) for finding in diagnosis.findings] == [
        ("tracker", "ok"),
        ("server", "ok"),
        ("version", "ok"),
        ("host", "ok"),
        ("login", "ok"),
        ("origin", "ok"),
        ("experiment", "ok"),
        ("runs", "ok"),
        ("latency", "ok"),
        ("deliveries", "ok"),
    ]
    assert the(diagnosis, "runs").detail("en") == "runs: 2, models: 2; each model has one"
    assert diagnosis.as_json()["state"] == "ok"


async def test_a_server_that_is_away(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    diagnosis = await diagnosed(url.replace("//", "//ann:geheim@"), tmp_path)

    server = the(diagnosis, "server")
    assert (server.state, server.detail("en")) == ("failed", f"{url}: connection refused")
    assert server.hint("en") == (
        "start MLflow, or correct MLFLOW_TRACKING_URI where this server is started"
    )
    assert [finding.topic for finding in diagnosis.findings] == ["tracker", "server", "deliveries"]


async def test_a_host_check_that_refuses_us_though_the_health_check_is_fine(
    tmp_path: Path,
) -> None:
    refusing = replying("Invalid Host header - possible DNS rebinding attack detected", status=403)
    async with fake_mlflow({SEARCH: refusing}) as url:
        host = the(await diagnosed(url, tmp_path), "host")

    name = url.removeprefix("http://")
    assert (host.state, host.hint("en")) == (
        "failed",
        f"start MLflow with MLFLOW_SERVER_ALLOWED_HOSTS={name},localhost:*,127.0.0.1:*",
    )


async def test_an_origin_check_that_refuses_our_pages_is_no_trouble(tmp_path: Path) -> None:
    async def picky(request: Any) -> Any:  # Any: aiohttp's handlers
        status = 403 if request.headers.get("Origin") == "http://llmeval.example" else 200
        return await replying(status=status)(request)

    origin = await found(tmp_path, "origin", {SEARCH: picky})

    assert origin.state == "ok"
    assert origin.detail("en").startswith("it refuses pages of http://llmeval.example; the proxy")


@pytest.mark.parametrize(
    ("handler", "topic", "detail"),
    [
        (replying("no", status=401), "login", "it wants a login, and none is set"),
        (replying("no", status=403), "login", "the login may not list experiments (403)"),
        (
            replying(status=302, Location="https://sso.example/in?state=secret"),
            "login",
            "it sends us to https://sso.example/in to log in",
        ),
    ],
)
async def test_a_login_that_is_missing_or_too_small(
    tmp_path: Path, handler: Handler, topic: str, detail: str
) -> None:
    finding = await found(tmp_path, topic, {SEARCH: handler})

    assert (finding.state, finding.detail("en")) == ("failed", detail)


async def test_something_that_is_not_mlflow(tmp_path: Path) -> None:
    page = replying("<html>nginx</html>")
    async with fake_mlflow({SEARCH: page, "/version": page}) as url:
        diagnosis = await diagnosed(url, tmp_path)

    servers = [finding for finding in diagnosis.findings if finding.topic == "server"]
    assert [finding.text_key for finding in servers] == ["server.answers", "server.strange"]


@pytest.mark.parametrize(
    ("version", "state"), [("3.17.0", "ok"), ("2.9.1", "warning"), ("4.0.0", "warning")]
)
async def test_an_untested_version_is_a_warning(tmp_path: Path, version: str, state: str) -> None:
    assert (await found(tmp_path, "version", {"/version": replying(version)})).state == state


async def test_a_deleted_experiment_has_a_button(tmp_path: Path) -> None:
    deleted = replying(ACTIVE.replace("active", "deleted"))

    experiment = await found(tmp_path, "experiment", {BY_NAME: deleted})

    assert experiment.state == "warning"
    assert experiment.action is not None
    assert experiment.action.path == "restore"


async def test_models_with_several_runs_are_named(tmp_path: Path) -> None:
    listed = [run("r1", "a/b"), run("r2", "a/b"), run("r3", "c/d"), run("r4", None)]
    pages = replying(f'{{"runs": [{", ".join(listed)}]}}')

    runs = await found(tmp_path, "runs", {BY_NAME: replying(ACTIVE), RUNS: pages})

    assert (runs.state, runs.detail("en")) == ("warning", "1 of 2 models have more than one run")
    assert [(item.text, item.link) for item in runs.items] == [
        ("a/b: r1", "#/experiments/7/runs/r1"),
        ("a/b: r2", "#/experiments/7/runs/r2"),
    ]
    assert runs.action == FindingAction("heal", "mlflow")


async def test_several_workers_betray_themselves_by_their_delay(tmp_path: Path) -> None:
    latency = await found(tmp_path, "latency", {}, delay_s=0.1)

    assert (latency.state, latency.hint("en")) == ("warning", "start MLflow with --workers 1")


async def test_deliveries_that_wait_are_told_with_their_reason_and_a_button(
    tmp_path: Path,
) -> None:
    tracker_statuses = [
        TrackerStatus("mlflow", 3, 2, 0, None, None, "http://ann:geheim@mlflow:5000 is away"),
        TrackerStatus("jsonl", 5, 0, 0, 1.0, "x.jsonl", None),
    ]
    async with fake_mlflow({}) as url:
        diagnosis = await diagnosed(url, tmp_path, tracker_statuses=lambda: tracker_statuses)

    mlflow, jsonl = [f for f in diagnosis.findings if f.topic == "deliveries"]
    assert mlflow.detail("en") == (
        "mlflow: 2 results wait, 0 were refused, 3 are delivered; "
        "last reason: http://***@mlflow:5000 is away"
    )
    assert (mlflow.state, jsonl.state) == ("warning", "ok")
    assert mlflow.action is not None
    assert mlflow.action.tracker == "mlflow"


async def test_a_journal_that_cannot_be_read_does_not_hide_the_rest(tmp_path: Path) -> None:
    def broken() -> list[TrackerStatus]:
        raise LlmevalError("the journal is broken")

    async with fake_mlflow({}) as url:
        diagnosis = await diagnosed(url, tmp_path, tracker_statuses=broken)

    assert the(diagnosis, "server").state == "ok"
    assert the(diagnosis, "deliveries").detail("en") == "cannot be read: the journal is broken"


async def test_no_secret_is_in_a_finding_or_a_log_line(tmp_path: Path) -> None:
    lines = [
        "MLflow at http://ann:geheim@mlflow:5000 is away",
        "MLflow said no to Authorization: Basic YW5uOmdlaGVpbQ==",
        "MLflow got 'geheim'",
        "MLflow wants postgresql://bob:hunter2@db/mlflow",
        "MLflow token: Bearer abc.def-ghi",
    ]
    async with fake_mlflow({SEARCH: replying("no", status=401)}) as url:
        diagnosis = await diagnosed(
            url.replace("//", "//ann:geheim@"), tmp_path, log_lines=lambda word: lines
        )

    told = str(diagnosis.as_json())
    for secret in ("geheim", "YW5uOmdlaGVpbQ", "hunter2", "abc.def"):
        assert secret not in told
    assert diagnosis.log_lines[0] == "MLflow at http://***@mlflow:5000 is away"


def test_both_languages_have_the_same_words_with_the_same_gaps() -> None:
    english, japanese = translations("en"), translations("ja")

    assert list(english) == list(japanese)
    for word, text in english.items():
        gaps = {part.partition("}")[0] for part in text.split("{")[1:]}
        assert gaps == {part.partition("}")[0] for part in japanese[word].split("{")[1:]}, word
