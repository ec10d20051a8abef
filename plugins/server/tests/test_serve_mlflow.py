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
def mlflow(processes: ServerProcesses) -> Iterator[MlflowServer]:
    """Make an MLflow server that is not started yet; all processes have its tracker."""
    off = processes.environ["LLMEVAL_DISABLE_PLUGINS"].split(",")
    processes.environ["LLMEVAL_DISABLE_PLUGINS"] = ",".join(
        name for name in off if name != "mlflow"
    )
    processes.environ["NO_PROXY"] = "127.0.0.1"
    folder = processes.folder / "mlflow"
    folder.mkdir()
    server = MlflowServer(folder)
    yield server
    processes.close()
    server.stop()


def run_file(
    processes: ServerProcesses, mlflow: MlflowServer, n: int, *names: str, latency_s: float
) -> Any:
    """Make a run that is tracked in MLflow; Any: JSON."""
    tracker = {"use": "mlflow", "tracking_uri": mlflow.url, "timeout_s": 60}
    return {**processes.run_file(n, *names, latency_s=latency_s), "trackers": [tracker]}


def standing(processes: ServerProcesses) -> tuple[int, int]:
    """Count the results that MLflow has, and those that it lacks."""
    with Journal(processes.home) as journal:
        (found,) = journal.deliveries(DeliveryRepository.tracker_statuses)
    return found.n_delivered, found.n_undelivered


def test_jobs_succeed_without_mlflow_and_it_gets_their_results_later(
    processes: ServerProcesses, mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = processes.store()
    server = processes.start("serve", "--port", "0", "--no-worker")
    wait_until(lambda: "serves" in processes.said(server), "the server")
    worker = processes.start_worker()

    down = store.submit(
        run_file(processes, mlflow, 3, "down", latency_s=0), name="down from the start"
    )
    ended = processes.wait_for_end(store, down.id)

    assert (ended.state, ended.errors) == ("succeeded", ())
    assert ended.outcome is not None
    assert ended.outcome.n_undelivered == 1
    assert "mlflow: 1 result waits in the journal" in store.log(down.id)[0]
    assert standing(processes) == (0, 1)
    wait_until(lambda: "MLflow cannot take results now" in processes.said(server), "news of MLflow")

    mlflow.start()
    dying = store.submit(
        run_file(processes, mlflow, 150, "quick", "slow", latency_s=0.05), name="dying"
    )
    wait_until(
        lambda: "MLflow: delivered abacus/m quick_0shot (1 metric)" in processes.said(server),
        "the first delivery",
    )
    mlflow.stop()
    ended = processes.wait_for_end(store, dying.id)

    assert ended.state == "succeeded"
    assert ended.outcome is not None
    assert ended.outcome.n_undelivered == 1
    assert standing(processes) == (2, 1)

    worker.terminate()
    assert worker.wait(60) == 0
    mlflow.start()
    monkeypatch.setenv("LLMEVAL_DISABLE_PLUGINS", processes.environ["LLMEVAL_DISABLE_PLUGINS"])
    site = make_route_context(ServerContext(processes.settings, make_session(), store, ()))
    said = site.deliver("mlflow")

    assert said.startswith("mlflow: 1 delivered")
    assert standing(processes) == (3, 0)
    assert [item.n_undelivered for item in site.tracker_statuses()] == [0]
    assert any("MLflow: delivered" in line for line in site.log_lines("mlflow"))
    assert site.deliver("nobody") == "nobody: no run has used this tracker yet"
    kill(server)
