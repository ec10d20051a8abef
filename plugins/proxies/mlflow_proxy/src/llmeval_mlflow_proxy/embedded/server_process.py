"""The process of the MLflow server: its command, its environment, its process group."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmeval_mlflow_proxy.embedded.backend_store import BackendStore
from llmeval_mlflow_proxy.embedded.table_setup import (
    ARTIFACT_ROOT,
    FILE_VARIABLE,
    LOCK_VARIABLE,
    STORE_VARIABLE,
)

_OURS = "MLFLOW_"
_END_S = 4.5
"""How long a keeper may take to end MLflow: its own grace and a little more."""


@dataclass(slots=True)
class ServerProcess:
    """A running keeper with MLflow in its process group.

    Args:
        process: the keeper; its exit is MLflow's.
        port: where MLflow was told to listen.
    """

    process: asyncio.subprocess.Process
    port: int

    async def end(self) -> None:
        """End everything in the group and wait until it is gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()  # the keeper ends the group, with a grace for MLflow
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), timeout=_END_S)
        # Also if the keeper itself died, and left MLflow behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()


async def start_server(
    store: BackendStore, *, host: str, log: Path, port: int | None = None
) -> ServerProcess:
    """Start MLflow's server on loopback; it takes some seconds until it answers.

    Args:
        store: what it works on.
        host: the only Host header it will accept.
        log: where its output goes.
        port: where to listen; None for a free port, which somebody may take meanwhile: then
            MLflow ends at once, and the next attempt takes another.
    """
    port = port or _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "llmeval_mlflow_proxy.embedded.keeper",
        str(log),
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        env=_environment(store, host),
        start_new_session=True,
    )
    return ServerProcess(process, port)


async def set_up_tables(store: BackendStore, *, log: Path) -> int:
    """Create the tables of a database that may be new; return 0 if they exist now.

    The process takes the store's lock itself, for as long as it needs it.
    """
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        STORE_VARIABLE: store.uri,
        LOCK_VARIABLE: str(store.lock),
    }
    if store.database is not None:
        environment[FILE_VARIABLE] = str(store.database)
    with _private(log) as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "llmeval_mlflow_proxy.embedded.table_setup",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
        )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(store: BackendStore, host: str) -> Mapping[str, str]:
    """Return MLflow's variables; no arguments, because a database's URI may hold a password."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
    return {
        **inherited,
        "MLFLOW_BACKEND_STORE_URI": store.uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": ARTIFACT_ROOT,
        "MLFLOW_ARTIFACTS_DESTINATION": store.artifacts.as_uri(),
        "MLFLOW_SERVE_ARTIFACTS": "true",
        "MLFLOW_SERVER_ALLOWED_HOSTS": host,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_UVICORN_OPTS": "--no-access-log",
        "PYTHONUNBUFFERED": "1",
    }


def _private(log: Path) -> IO[bytes]:
    return open(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
