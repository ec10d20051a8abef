"""A real MLflow server for tests: started when it is needed, stopped, frozen and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

START_TIMEOUT_S = 300.0
"""A loaded machine takes a minute to start MLflow."""


class MlflowServer:
    """An `mlflow server` on a free port of loopback, with its files in a folder.

    Args:
        folder: for its log, its artifacts, and its database unless another one is given.
        database: the URI of its database; None for an SQLite file.
    """

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder
        self.database = database or f"sqlite:///{folder}/server.db"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without the machine's own settings for MLflow, and wait until it answers."""
        log = self.folder / "server.log"
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--workers=1", "--host=127.0.0.1"),
            f"--port={self.port}",
            f"--backend-store-uri={self.database}",
            f"--artifacts-destination={self.folder / 'artifacts'}",
        ]
        environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("MLFLOW_")},
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_SERVER_ALLOWED_HOSTS": "127.0.0.1:*",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                env=environment,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health"):
                return
            assert time.monotonic() < deadline, log.read_text()
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to what it has started."""
        assert self._process is not None
        os.killpg(self._process.pid, number)

    def stop(self) -> None:
        """Kill it and what it has started; does nothing if it does not run."""
        if self._process is not None:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
