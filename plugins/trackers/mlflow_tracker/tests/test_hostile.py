"""A server that means harm costs a delivery's time at most, few requests, and no memory."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest
from llmeval_mlflow_tracker.bounded_http import MAX_REDIRECTS
from llmeval_mlflow_tracker.settings import MlflowSettings
from llmeval_mlflow_tracker.tracker import MlflowTracker

from llmeval_core.hooks import TrackerError
from llmeval_core.testing import run_info
from plugins.trackers.mlflow_tracker.tests import hostile_server
from plugins.trackers.mlflow_tracker.tests.hostile_server import Serve

TIMEOUT_S = 1.0
PATIENCE_S = 20.0  # for a loaded machine; without an end there is none
KINDS: dict[str, tuple[Serve, str, int]] = {
    "redirect loop": (hostile_server.redirect_loop, "redirects again and again", MAX_REDIRECTS + 1),
    "redirect with a body": (hostile_server.redirect_with_endless_body, "", MAX_REDIRECTS + 1),
    "dripping headers": (hostile_server.dripping_headers, "does not answer in time", 1),
    "dripping body": (hostile_server.dripping_body, "does not answer in time", 1),
    "endless body": (hostile_server.endless_body, "", 1),
    "gzip bomb": (hostile_server.gzip_bomb, "it sends more than 64 MiB|does not answer in time", 1),
    "huge JSON": (hostile_server.huge_json, "it sends more than 64 MiB|does not answer in time", 1),
    "deep JSON": (hostile_server.deep_json, "is not MLflow's API", 1),
    "half closed": (hostile_server.half_closed, "cannot be reached: no connection", 3),
    "silent": (hostile_server.silent, "does not answer in time", 1),
    "not HTTP": (hostile_server.not_http, "cannot be reached: no connection", 3),
    "HTML": (hostile_server.html_login, "is not MLflow's API", 1),
    "404 page": (hostile_server.page_not_found, "is not MLflow's API: a page with status 404", 1),
    "redirected writes": (
        hostile_server.redirected_writes,
        "redirects to https://other.example/x",
        3,
    ),
    "other JSON": (hostile_server.other_json, "is not MLflow's API", 1),
    "busy": (hostile_server.busy_for_an_hour, "cannot take requests now (503", 1),
}


def most_memory_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


async def refused(url: str, home: Path) -> TrackerError:
    tracker = MlflowTracker(MlflowSettings(tracking_uri=url, timeout_s=TIMEOUT_S))
    with pytest.raises(TrackerError) as caught:
        await tracker.open(run_info(home))
    await tracker.close()
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
async def test_a_hostile_server_is_left_in_time_with_one_line(kind: str, tmp_path: Path) -> None:
    serve, told, most_requests = KINDS[kind]
    hostile_server.bomb()
    before = most_memory_bytes()

    with hostile_server.hostile(serve) as server:
        error = await refused(server.url, tmp_path)
        server.wait_idle(PATIENCE_S)

        assert any(part in error.what for part in told.split("|")), error.what
        assert "\n" not in error.what
        assert not error.permanent
        assert 1 <= server.n_requests <= most_requests
    assert most_memory_bytes() - before < 600 << 20


async def test_more_attempts_that_the_user_wants_fit_into_the_time_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "120")

    with hostile_server.hostile(hostile_server.busy_for_an_hour) as server:
        error = await refused(server.url, tmp_path)

        assert server.n_requests == 1
    assert error.retry_after_s == 3600


async def test_an_encryption_that_never_begins_ends_in_time(tmp_path: Path) -> None:
    with hostile_server.hostile(hostile_server.dripping_handshake) as server:
        error = await refused(server.url.replace("http://", "https://"), tmp_path)
        server.wait_idle(PATIENCE_S)

        assert "does not answer in time" in error.what
        assert server.n_requests == 1
