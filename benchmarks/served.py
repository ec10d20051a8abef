"""`llmeval serve` in a process of its own, for benchmarks of the server."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import LLMEVAL, MeasuredProcess

_START_S = 120.0


@contextmanager
def serving(home: Path, cwd: Path | None = None) -> Iterator[MeasuredProcess]:
    """Run `llmeval serve` without a worker and without an MLflow of its own.

    Args:
        home: the server's home folder.
        cwd: in which folder it runs; files of jobs lie there.
    """
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "LLMEVAL_REQUESTS_PER_MINUTE": "1000000",
    }
    command = (*LLMEVAL, "serve", "--no-worker", "--port", "0", "--home", str(home))
    with subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            yield MeasuredProcess(child, _port_of(home / "server.json"))
        finally:
            child.terminate()


def _port_of(announcement: Path) -> int:
    give_up_at = time.monotonic() + _START_S
    while time.monotonic() < give_up_at:
        try:
            port = int(
                json.loads(announcement.read_text())["address"].rstrip("/").rpartition(":")[2]
            )
            http.client.HTTPConnection("127.0.0.1", port).request("GET", "/healthz")
        except (OSError, ValueError, TypeError, AttributeError):  # not there, or no address yet
            time.sleep(0.05)
        else:
            return port
    raise SystemExit("llmeval serve did not start")
