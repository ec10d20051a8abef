"""MLflow down at submit, in the middle, at the end: jobs succeed, and it gets all of it later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llmeval_server.context import ServerContext
from llmeval_server.route_context import make_route_context

from llmeval_core.api import DeliveryRepository, Journal, make_session
from plugins.server.tests.server_processes import ServerProcesses, kill, wait_until
from tests.mlflow_server import MlflowServer


@pytest.fixture
def mlflow(rig: ServerProcesses) -> Iterator[MlflowServer]:
    """Make an MLflow server that is not started yet; rig's processes have its tracker."""
    off = rig.environ["LLMEVAL_DISABLE_PLUGINS"].split(",")
    rig.environ["LLMEVAL_DISABLE_PLUGINS"] = ",".join(name for name in off if name != "mlflow")
    rig.environ["NO_PROXY"] = "127.0.0.1"
    folder = rig.folder / "mlflow"
    folder.mkdir()
    server = MlflowServer(folder)
    yield server
    rig.close()
    server.stop()


def run_file(
    rig: ServerProcesses, mlflow: MlflowServer, n: int, *names: str, latency_s: float
) -> Any:
    """Make a run that is tracked in MLflow; Any: JSON."""
    tracker = {"use": "mlflow", "tracking_uri": mlflow.url, "timeout_s": 60}
    return {**rig.run_file(n, *names, latency_s=latency_s), "trackers": [tracker]}


def standing(rig: ServerProcesses) -> tuple[int, int]:
    """Count the results that MLflow has, and those that it lacks."""
    with Journal(rig.home) as journal:
        (found,) = journal.deliveries(DeliveryRepository.tracker_statuses)
    return found.n_delivered, found.n_undelivered


def test_jobs_succeed_without_mlflow_and_it_gets_their_results_later(
    rig: ServerProcesses, mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = rig.store()
    server = rig.start("serve", "--port", "0", "--no-worker")
    wait_until(lambda: "serves" in rig.said(server), "the server")
    worker = rig.start_worker()

    down = store.submit(run_file(rig, mlflow, 3, "down", latency_s=0), name="down from the start")
    ended = rig.wait_for_end(store, down.id)

    assert (ended.state, ended.errors) == ("succeeded", ())
    assert ended.outcome is not None
    assert ended.outcome.n_undelivered == 1
    assert "mlflow: 1 results wait in the journal" in store.log(down.id)[0]
    assert standing(rig) == (0, 1)
    wait_until(lambda: "MLflow cannot take results now" in rig.said(server), "news of MLflow")

    mlflow.start()
    dying = store.submit(run_file(rig, mlflow, 150, "quick", "slow", latency_s=0.05), name="dying")
    wait_until(
        lambda: "MLflow: delivered abacus/m quick_0shot (1 metric)" in rig.said(server),
        "the first delivery",
    )
    mlflow.stop()
    ended = rig.wait_for_end(store, dying.id)

    assert ended.state == "succeeded"
    assert ended.outcome is not None
    assert ended.outcome.n_undelivered == 1
    assert standing(rig) == (2, 1)

    worker.terminate()
    assert worker.wait(60) == 0
    mlflow.start()
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", rig.environ["LLMEVAL_DISABLE_PLUGINS"])
    site = make_route_context(ServerContext(rig.settings, make_session(), store, ()))
    said = site.deliver("mlflow")

    assert said.startswith("mlflow: 1 delivered")
    assert standing(rig) == (3, 0)
    assert [item.n_undelivered for item in site.tracker_statuses()] == [0]
    assert any("MLflow: delivered" in line for line in site.log_lines("mlflow"))
    assert site.deliver("nobody") == "nobody: no run has used this tracker yet"
    kill(server)
