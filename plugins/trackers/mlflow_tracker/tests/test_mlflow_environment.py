"""What MLflow's own client heeds is heeded, or named before the first request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from llmeval_mlflow_tracker.mlflow_environment import check_environment
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracking_location import find_location

from llmeval_core.hooks import ConfigError, LlmevalError, TrackerError

SERVER = "https://mlflow.example"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a user with an empty home, behind no proxy."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def notes(uri: str, environ: Mapping[str, str], **settings: object) -> tuple[str, ...]:
    chosen = MlflowSettings.model_validate({"tracking_uri": uri, **settings})
    return check_environment(find_location(uri, home=Path("home")), chosen, environ)


def refused(uri: str, environ: Mapping[str, str]) -> LlmevalError:
    with pytest.raises((ConfigError, TrackerError)) as caught:
        notes(uri, environ)
    return caught.value


@pytest.mark.parametrize("uri", [SERVER, "sqlite:///x.db"])
def test_the_experiment_is_ours_and_a_variable_that_says_another_is_named(uri: str) -> None:
    (note,) = notes(uri, {"MLFLOW_EXPERIMENT_NAME": "theirs"})

    assert note == (
        "MLFLOW_EXPERIMENT_NAME is not heeded: results go to the experiment 'model_evaluation', "
        "unless the tracker's setting experiment says another"
    )
    assert notes(uri, {"MLFLOW_EXPERIMENT_NAME": "theirs"}, experiment="mine") == ()
    assert notes(uri, {"MLFLOW_EXPERIMENT_NAME": "model_evaluation"}) == ()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MLFLOW_RUN_ID": "1"}, "MLFLOW_RUN_ID is not heeded"),
        ({"MLFLOW_EXPERIMENT_ID": "1"}, "MLFLOW_EXPERIMENT_ID is not heeded"),
        ({"MLFLOW_TRACKING_USERNAME": "me"}, "MLFLOW_TRACKING_PASSWORD is not"),
        ({"MLFLOW_TRACKING_PASSWORD": "x"}, "MLFLOW_TRACKING_USERNAME is not"),
        (
            {
                "MLFLOW_TRACKING_USERNAME": "me",
                "MLFLOW_TRACKING_PASSWORD": "x",
                "MLFLOW_TRACKING_TOKEN": "t",
            },
            "MLFLOW_TRACKING_TOKEN is not sent",
        ),
        ({"MLFLOW_TRACKING_INSECURE_TLS": "true"}, "certificate is not checked"),
        ({"MLFLOW_HTTP_REQUEST_TIMEOUT": "120"}, "is heeded up to the tracker's setting timeout_s"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_do_what_it_says_is_named(environ: dict[str, str], told: str) -> None:
    (note,) = notes(SERVER, environ)

    assert told in note


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"MLFLOW_HTTP_REQUEST_TIMEOUT": "soon"}, "MLFLOW_HTTP_REQUEST_TIMEOUT"),
        ({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "-1"}, "MLFLOW_HTTP_REQUEST_MAX_RETRIES"),
        ({"MLFLOW_TRACKING_SERVER_CERT_PATH": "~/no.pem"}, "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        ({"MLFLOW_TRACKING_CLIENT_CERT_PATH": "no.pem"}, "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
        ({"REQUESTS_CA_BUNDLE": "no.pem"}, "REQUESTS_CA_BUNDLE"),
        ({"SSL_CERT_FILE": "no.pem"}, "SSL_CERT_FILE"),
        ({"MLFLOW_TRACKING_AUTH": "nobody"}, "MLFLOW_TRACKING_AUTH"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_is_told(environ: dict[str, str], where: str) -> None:
    assert refused(SERVER, environ).where == where


def test_certificates_that_are_not_to_be_checked_with_a_file_contradict_each_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").touch()
    environ = {
        "MLFLOW_TRACKING_INSECURE_TLS": "1",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(tmp_path / "ca.pem"),
    }

    assert "certificates are not to be checked" in refused(SERVER, environ).what


def test_the_file_of_logins_is_read_and_a_broken_one_named(home: Path) -> None:
    file = home / ".mlflow" / "credentials"
    file.parent.mkdir()
    file.write_text("[mlflow]\nmlflow_tracking_username = me\n", encoding="utf-8")
    (note,) = notes(SERVER, {})
    file.write_text("me:secret\n", encoding="utf-8")

    assert "MLFLOW_TRACKING_PASSWORD is not" in note
    assert refused(SERVER, {}).where == str(file)


def test_a_proxy_before_ones_own_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    (note,) = notes("http://127.0.0.1:5000", {})
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert note == (
        "requests to http://127.0.0.1:5000 go through the proxy of HTTP_PROXY; "
        "NO_PROXY=127.0.0.1 leaves it out"
    )
    assert notes("http://127.0.0.1:5000", {}) == ()


def test_a_missing_driver_is_known_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    error = refused("mysql+pymysql://me:secret@h/d", {})

    assert str(error) == (
        "MLflow needs the Python module 'pymysql' for mysql+pymysql://h/d\n"
        "  try:   pip install pymysql"
    )


def test_a_database_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert refused(f"sqlite:///{tmp_path}", {}).what == f"cannot write to {tmp_path}"
    assert "gone when the run ends" in refused("sqlite:///:memory:", {}).what


def test_databricks_needs_a_login(home: Path) -> None:
    assert "no login to Databricks" in refused("databricks", {}).what
    assert notes("databricks", {"DATABRICKS_HOST": "https://x"}) == ()
    (home / ".databrickscfg").touch()
    assert notes("databricks://team", {}) == ()
