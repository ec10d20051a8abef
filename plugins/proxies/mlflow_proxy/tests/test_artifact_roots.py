"""Which places for artifacts are MLflow's own, and which are elsewhere."""

from __future__ import annotations

import posixpath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmeval_mlflow_proxy.artifact_roots import ArtifactRoots, leaves_folder

ROOTS = ArtifactRoots.of(["/srv/mlflow/artifacts", "s3://bucket/mlflow/"])


@pytest.mark.parametrize(
    "location",
    [
        "",
        "mlflow-artifacts:/7",
        "mlflow-artifacts:/日本語/a b",
        "/srv/mlflow/artifacts",
        "/srv/mlflow/artifacts/7/x",
        "file:///srv/mlflow/artifacts/7",
        "s3://bucket/mlflow/7",
    ],
)
def test_a_place_inside(location: str) -> None:
    assert ROOTS.contains(location)


@pytest.mark.parametrize(
    "location",
    [
        "/etc",
        "etc",
        "../etc",
        "file:///etc",
        "file:etc",
        "FILE:///srv/mlflow/artifacts/7",
        "file://other/srv/mlflow/artifacts/7",
        "file:///srv/mlflow/artifacts/%2e%2e/%2e%2e/%2e%2e/etc",
        "file:///srv/mlflow/artifacts/%252e%252e/x",
        "/srv/mlflow/artifacts/../../../etc",
        "/srv/mlflow/artifacts-of-others",
        "/srv/mlflow/artifacts\\..\\..\\x",
        " /srv/mlflow/artifacts/7",
        "/srv/mlflow/artifacts/7\n",
        "mlflow-artifacts:/../etc",
        "mlflow-artifacts:/%2e%2e/etc",
        "mlflow-artifacts:/%25252525252e/etc",
        "mlflow-artifacts://host/7",
        "mlflow-artifacts:/7?x=1",
        "mlflow-artifacts:/7#x",
        "mlflow-artifacts:7",
        "s3://bucket/other",
        "s3://bucket/mlflow/../other",
        "s3://bucket/mlflow-2",
        "gs://x/y",
        "dbfs:/x",
        "http://127.0.0.1:5000/x",
        "runs:/abc/model",
        "file:///srv/mlflow/artifacts//x",
        "[",
        "file://[/x",
    ],
)
def test_a_place_elsewhere_or_of_two_meanings(location: str) -> None:
    assert not ROOTS.contains(location)


@pytest.mark.parametrize(
    ("source", "is_inside"),
    [
        ("runs:/abc/model", True),
        ("models:/m-1", True),
        ("models:/name/3", True),
        ("mlflow-artifacts:/1/abc/artifacts/model", True),
        ("prompt-template", True),
        ("dummy-source", True),
        ("/srv/mlflow/artifacts/1/abc/artifacts/model", True),
        ("runs://host/abc/model", False),
        ("runs:/abc/../../x", False),
        ("models:/name/%2e%2e/x", False),
        ("prompt-templates", False),
        ("/etc", False),
        ("s3://elsewhere/x", False),
    ],
)
def test_a_source_of_a_model_version(source: str, *, is_inside: bool) -> None:
    assert ROOTS.contains_source(source) is is_inside


@given(st.text(alphabet="ab./\\%2e5cfF:", max_size=30), st.integers(0, 3))
def test_whatever_is_inside_stays_inside_however_often_it_is_decoded(
    text: str, n_encodings: int
) -> None:
    location = text
    for _ in range(n_encodings):
        location = quote(location, safe="/:")
    location = f"/srv/mlflow/artifacts/{location}"

    if ROOTS.contains(location):
        for _ in range(5):
            assert posixpath.normpath(location).startswith("/srv/mlflow/artifacts")
            assert "\\" not in location
            location = unquote(location)


@pytest.mark.parametrize(
    ("path", "leaves"),
    [
        ("model/MLmodel", False),
        ("a..b/..c", False),
        ("100%", False),
        ("../x", True),
        ("a/%2e%2e/x", True),
        ("a/%252e%252e/x", True),
        ("a\\..\\x", True),
        ("/etc/passwd", True),
        ("%2Fetc/passwd", True),
        ("C:\\x", True),
        ("file:///etc", True),
        ("FILE:x", True),
    ],
)
def test_a_path_of_an_artifact_that_leaves_its_folder(path: str, *, leaves: bool) -> None:
    assert leaves_folder(path) is leaves
