"""What the environment says, and what is told when it cannot be understood."""

from __future__ import annotations

import pytest
from llmeval_mlflow_proxy.plugin import llmeval_register_routes
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream

from llmeval_core.hooks import ConfigError


def test_without_a_tracking_uri_mlflow_is_embedded() -> None:
    settings = read_settings({})

    assert (settings.mlflow, settings.store) == (None, None)


@pytest.mark.parametrize("uri", ["sqlite:///x.db", "postgresql+psycopg2://u:secret@h/db"])
def test_a_database_is_served_by_the_embedded_mlflow(uri: str) -> None:
    settings = read_settings({"MLFLOW_TRACKING_URI": uri})

    assert (settings.mlflow, settings.store) == (None, uri)
    assert ("secret" in settings.secrets) == ("secret" in uri)


@pytest.mark.parametrize(
    ("uri", "url", "host"),
    [
        ("http://mlflow:5000", "http://mlflow:5000", "mlflow:5000"),
        ("https://MLflow.example/team/", "https://mlflow.example/team", "mlflow.example"),
        ("http://[::1]:5000", "http://[::1]:5000", "[::1]:5000"),
        ("http://ann:p%40ss@mlflow:5000", "http://mlflow:5000", "mlflow:5000"),
    ],
)
def test_a_server_is_an_upstream_without_its_login(uri: str, url: str, host: str) -> None:
    upstream = read_settings({"MLFLOW_TRACKING_URI": uri}).mlflow

    assert isinstance(upstream, Upstream)
    assert (upstream.url, upstream.host) == (url, host)


def test_secrets_are_known_in_each_form_and_shown_in_none() -> None:
    environ = {
        "MLFLOW_TRACKING_URI": "http://ann:p%40ss@mlflow:5000",
        "MLFLOW_TRACKING_TOKEN": "tok",
    }

    settings = read_settings(environ)

    assert settings.secrets == {"ann:p%40ss", "p%40ss", "p@ss", "tok", "YW5uOnBAc3M="}
    assert not [secret for secret in settings.secrets if secret in repr(settings)]


@pytest.mark.parametrize("uri", ["databricks", "file:///mlruns", "./mlruns"])
def test_what_has_no_pages_is_told(uri: str) -> None:
    mlflow = read_settings({"MLFLOW_TRACKING_URI": uri}).mlflow

    assert isinstance(mlflow, Unavailable)
    assert mlflow.state == "none"


def test_further_servers_are_a_matter_of_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMEVAL_PROXIES", "/proxy-aim=http://127.0.0.1:43800, /x/y=https://h/z")

    routes = list(llmeval_register_routes())

    assert [(route.prefix, route.title) for route in routes] == [
        ("/proxy-mlflow", "MLflow"),
        ("/debug-mlflow", "Diagnosis"),
        ("/proxy-aim", "aim"),
        ("/x/y", "y"),
    ]
    assert routes[1].model_path == "/debug-mlflow/run?model={model}"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        (
            "MLFLOW_TRACKING_URI",
            "http://",
            "a server's URL cannot be understood\n"
            "  where: environment, MLFLOW_TRACKING_URI\n"
            "  try:   write http://HOST:PORT, for instance http://127.0.0.1:5000",
        ),
        (
            "MLFLOW_TRACKING_URI",
            "http://ann:secret@mlflow:5000/#/experiments/1",
            "a server's URL goes too far: it has a '?' or a '#'\n"
            "  where: environment, MLFLOW_TRACKING_URI\n"
            "  try:   write http://mlflow:5000",
        ),
        (
            "LLMEVAL_PROXIES",
            "proxy-aim=http://127.0.0.1:1",
            "an entry is not of the form /PREFIX=URL\n"
            "  where: environment, LLMEVAL_PROXIES\n"
            "  try:   write for instance /proxy-aim=http://127.0.0.1:43800",
        ),
        (
            "LLMEVAL_PROXIES",
            "/proxy-mlflow=http://127.0.0.1:1",
            "the prefix /proxy-mlflow is taken\n"
            "  where: environment, LLMEVAL_PROXIES\n"
            "  try:   choose another",
        ),
        (
            "LLMEVAL_ALLOWED_ORIGINS",
            "llmeval.example",
            "'llmeval.example' is not a web origin\n"
            "  where: environment, LLMEVAL_ALLOWED_ORIGINS\n"
            "  try:   write for instance https://llmeval.example",
        ),
        (
            "LLMEVAL_MLFLOW_ARTIFACT_ROOTS",
            "s3://bucket/mlflow, /srv/../etc",
            "'/srv/../etc' is not a place for artifacts\n"
            "  where: environment, LLMEVAL_MLFLOW_ARTIFACT_ROOTS\n"
            "  try:   write for instance s3://bucket/mlflow, or /srv/mlflow/artifacts",
        ),
    ],
)
def test_what_cannot_be_understood_is_told_without_secrets(
    name: str, value: str, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({name: value})

    assert str(caught.value) == told


@pytest.mark.parametrize("port", ["99999", "abc"])
def test_a_bad_port_is_told(port: str) -> None:
    with pytest.raises(ConfigError, match="cannot be understood"):
        read_settings({"MLFLOW_TRACKING_URI": f"http://mlflow:{port}"})


def test_places_for_artifacts_can_be_added() -> None:
    settings = read_settings({"LLMEVAL_MLFLOW_ARTIFACT_ROOTS": "s3://bucket/mlflow/, /srv/a b"})

    assert settings.artifact_roots == ("s3://bucket/mlflow", "/srv/a b")
