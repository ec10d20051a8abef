"""A real MLflow server on SQLite, filled with as many runs as wanted."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

EXPERIMENT = "model_evaluation"
METRICS = tuple(f"set{n // 3}_0shot_metric{n % 3}" for n in range(12))


@dataclass(frozen=True, slots=True)
class MlflowServer:
    """A server in a process of its own, and its database."""

    url: str
    database: Path

    def fill(self, n_runs: int) -> None:
        """Bring the experiment to so many runs, each with 12 metrics; not through the API."""
        with sqlite3.connect(self.database, timeout=60) as connection:
            (experiment,) = connection.execute(
                "SELECT experiment_id FROM experiments WHERE name = ?", (EXPERIMENT,)
            ).fetchone()
            (there,) = connection.execute(
                "SELECT count(*) FROM runs WHERE experiment_id = ?", (experiment,)
            ).fetchone()
            for number in range(there, n_runs):
                _add_run(connection, experiment, f"load/model-{number}")


def _add_run(connection: sqlite3.Connection, experiment: int, model: str) -> None:
    run = uuid.uuid4().hex
    now = int(time.time() * 1000)
    connection.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, user_id, status, start_time,"
        " end_time, lifecycle_stage, artifact_uri, experiment_id)"
        " VALUES (?, ?, 'LOCAL', '', 'bench', 'FINISHED', ?, ?, 'active', ?, ?)",
        (run, model, now, now, f"mlflow-artifacts:/{experiment}/{run}/artifacts", experiment),
    )
    connection.execute(
        "INSERT INTO params (key, value, run_uuid) VALUES ('model_name', ?, ?)", (model, run)
    )
    connection.executemany(
        "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)",
        [("mlflow.runName", model, run), ("mlflow.user", "bench", run)],
    )
    for table in ("metrics", "latest_metrics"):
        connection.executemany(
            f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid)"
            " VALUES (?, 0.5, ?, 0, 0, ?)",
            [(key, now, run) for key in METRICS],
        )


@contextmanager
def mlflow_server(folder: Path) -> Iterator[MlflowServer]:
    """Run a server while the block lasts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = folder / "mlflow.db"
    command = [sys.executable, "-m", "mlflow", "server", "--workers=1", "--host=127.0.0.1"]
    command += [
        f"--port={port}",
        f"--backend-store-uri=sqlite:///{database}",
        f"--artifacts-destination={folder / 'artifacts'}",
    ]
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as child,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(url, child)
            yield MlflowServer(url, database)
        finally:
            child.terminate()


def _wait_until_up(url: str, child: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while True:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health"):
            return
        if child.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("the MLflow server did not start")
        time.sleep(0.1)
