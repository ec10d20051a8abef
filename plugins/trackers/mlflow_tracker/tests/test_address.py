"""h5-impossible-tracking-uri: an address that can be none is told, with what to write instead."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_mlflow_tracker.address import read_address
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker
from llmeval_mlflow_tracker.tracking_location import find_location

from llmeval_core.hooks import ConfigError, TrackerError
from llmeval_core.testing import run_info

WRONG = [
    ("localhost:5000", "has no scheme", "write http://localhost:5000"),
    ("127.0.0.1:5000", "has no scheme", "write http://127.0.0.1:5000"),
    ("mlflow.example.com", "has no scheme", "write http://mlflow.example.com"),
    ("[::1]:5000", "has no scheme", "write http://[::1]:5000"),
    ("//localhost:5000", "has no scheme", "write http://localhost:5000"),
    (":5000", "is a port only", "write http://localhost:5000"),
    ("http//localhost:5000", "lacks the colon", "write http://localhost:5000"),
    ("http:/localhost:5000", "lacks the two slashes", "write http://localhost:5000"),
    ("http://http://localhost:5000", "has two schemes", "write http://localhost:5000"),
    ("htp://localhost:5000", "does not know, 'htp'", "write http://localhost:5000"),
    ("ftp://localhost", "does not know, 'ftp'", "known: http, https"),
    ("postgres://h/db", "does not know, 'postgres'", "write postgresql://h/db"),
    ("postgresql://", "names no database", "postgresql://USER"),
    ("sqlite:mlflow.db", "lacks a slash", "write sqlite:///mlflow.db"),
    ("sqlite://mlflow.db", "lacks a slash", "write sqlite:///mlflow.db"),
    ("mlflow.db", "is a file", "write sqlite:///mlflow.db"),
    ("./mlruns", "is a folder", "write http://HOST:PORT"),
    ("/srv/mlruns", "is a folder", "write http://HOST:PORT"),
    ("mlruns", "is a folder", "write http://HOST:PORT"),
    ("C:\\mlruns", "is a folder", "write http://HOST:PORT"),
    ("file:./mlruns", "no longer writes to folders", "leave tracking_uri out"),
    ("http://127.0.0.1:5000/#/experiments/1", "of a page", "write http://127.0.0.1:5000"),
    ("http://127.0.0.1:5000/?a=b", "of a page", "write http://127.0.0.1:5000"),
    ("http://h:5000/api/2.0/mlflow", "MLflow's API", "write http://h:5000"),
    ("http://local host:5000", "has a space in it", "write http://localhost:5000"),
    ("http://h:99999", "no port that there can be", "from 1 to 65535"),
    ("http://h:0", "no port that there can be", "from 1 to 65535"),
    ("http://h:x", "no port that there can be", "from 1 to 65535"),
    ("http://h:5000:1", "more than one colon", "write http://HOST:PORT"),
    ("http://[::1", "cannot be read", "write http://HOST:PORT"),
    ("http://", "no host", "write http://HOST:PORT"),
    ("http://${HOST}:5000", "no host", "write http://HOST:PORT"),
    ("http://me:s#cret@h", "login", "write # as %23"),
    ("'http://h:5000'", "quotation mark", "an env file keeps quotes"),
    ("http://h\n:5000", "line break", None),
    ("unix:///run/mlflow.sock", "socket's file", "write http://HOST:PORT"),
    ("http+unix://%2Frun%2Fmlflow.sock", "socket's file", "write http://HOST:PORT"),
    ("databricks-uc", "registry of models", "write databricks"),
]


@pytest.mark.parametrize(("text", "what", "hint"), WRONG, ids=[text for text, _, _ in WRONG])
def test_what_can_be_no_tracking_uri_is_told_with_the_cure(
    text: str, what: str, hint: str | None
) -> None:
    """h5-impossible-tracking-uri."""
    with pytest.raises(ConfigError) as caught:
        read_address(text, where=None, environ={})

    assert what in caught.value.what
    assert hint is None or hint in (caught.value.hint or "")
    assert "\n" not in caught.value.what


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:5000",
        "https://mlflow.example/base/",
        "http://me:secret@host:5000",
        "http://[::1]:5000",
        "http://host_name",
        "http://日本.jp:5000",
        "sqlite:///mlflow.db",
        "sqlite:////srv/my folder/mlflow.db",
        "postgresql+psycopg://u:p@h/db",
        "mysql+pymysql://u@h/d",
        "databricks",
        "databricks://team",
    ],
)
def test_what_can_be_one_is_taken_without_the_spaces_around_it(text: str) -> None:
    """h5-impossible-tracking-uri."""
    assert read_address(f" {text}\n", where=None, environ={}) == text


@given(st.text(min_size=1).filter(str.strip))
def test_any_text_is_an_address_or_an_error_of_ours(text: str) -> None:
    """h5-impossible-tracking-uri."""
    with contextlib.suppress(ConfigError):
        assert read_address(text, where=None, environ={}).lower() == text.strip().lower()


@given(st.text(alphabet="abcé#/?:@ %", min_size=1).filter(lambda text: text.strip() == text))
def test_no_password_is_ever_shown(password: str) -> None:
    secret = f"s3cr3t{password}s3cr3t"
    for text in (f"http://me:{secret}@h:99999", f"me:{secret}@h:5000", f"htp://me:{secret}@h"):
        with pytest.raises(ConfigError) as caught:
            read_address(text, where=None, environ={})
        assert "s3cr3t" not in str(caught.value)


def test_folders_are_taken_where_mlflow_takes_them() -> None:
    environ = {"MLFLOW_ALLOW_FILE_STORE": "true"}

    assert read_address("file:./mlruns", where=None, environ=environ) == "file:./mlruns"
    assert read_address("./mlruns", where=None, environ=environ) == "./mlruns"


def test_a_variable_is_named_as_the_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """h5-impossible-tracking-uri."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "localhost:5000")

    with pytest.raises(ConfigError) as caught:
        MlflowTracker(MlflowSettings()).check(tmp_path)

    assert str(caught.value) == (
        "the tracking URI 'localhost:5000' has no scheme\n"
        "  where: environment, MLFLOW_TRACKING_URI\n"
        "  try:   write http://localhost:5000, or https://"
    )


def test_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "  ")

    assert find_location(None, home=tmp_path).database == tmp_path / "mlflow.db"


def test_a_database_of_ones_home_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_location("sqlite:///~/m.db", home=Path()).database == tmp_path / "m.db"


async def test_a_tracker_that_was_never_checked_says_the_same(tmp_path: Path) -> None:
    tracker = MlflowTracker(MlflowSettings(tracking_uri="localhost:5000"))

    with pytest.raises(TrackerError, match="'localhost:5000' has no scheme"):
        await tracker.open(run_info(tmp_path))
    await tracker.close()
