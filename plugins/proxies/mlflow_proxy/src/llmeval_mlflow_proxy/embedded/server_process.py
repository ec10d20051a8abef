"""The process of the MLflow server: its command and its environment."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmeval_core.support import ChildCommand, ChildProcess, python_command
from llmeval_mlflow_proxy.embedded.backend_store import BackendStore
from llmeval_mlflow_proxy.embedded.table_setup import (
    ARTIFACT_ROOT,
    FILE_VARIABLE,
    LOCK_VARIABLE,
    STORE_VARIABLE,
)

_MLFLOW = "MLFLOW_"
_END_TIMEOUT_S = 3.0
"""How long MLflow may take to end when it is told to, seconds."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running MLflow server.

    Args:
        child: its process.
        port: where it was told to listen.
    """

    child: ChildProcess
    port: int

    async def end(self) -> None:
        """End it with all that it has started."""
        await self.child.end(within_s=_END_TIMEOUT_S)


async def start_server(
    store: BackendStore, *, host: str, log: Path, port: int | None = None
) -> ServerProcess:
    """Start MLflow's server on loopback; it takes some seconds until it answers.

    Args:
        store: what it stores its data in.
        host: the only Host header it will accept.
        log: where its output goes.
        port: where to listen; None for a free port, which another process may take meanwhile: then
            MLflow ends at once, and the next attempt takes another port.

    Raises:
        OSError: it cannot be started, or the log cannot be written.
    """
    port = port or _free_port()
    command = ChildCommand(
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        environ=_environment(store, host),
        output=log,
        grace_s=_END_TIMEOUT_S,
    )
    return ServerProcess(await ChildProcess.start(command), port)


async def set_up_tables(store: BackendStore, *, log: Path) -> int:
    """Create the tables of a database that may be new; return 0 if they exist now.

    The process takes the store's lock itself, for as long as it needs it.

    Raises:
        OSError: it cannot be started, or the log cannot be written.
    """
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        STORE_VARIABLE: store.uri,
        LOCK_VARIABLE: str(store.lock),
    }
    if store.database is not None:
        environment[FILE_VARIABLE] = str(store.database)
    command = ChildCommand(
        python_command("llmeval_mlflow_proxy.embedded.table_setup"),
        environ=environment,
        output=log,
    )
    async with await ChildProcess.start(command) as child:
        return await child.wait()


def _environment(store: BackendStore, host: str) -> Mapping[str, str]:
    """Return MLflow's variables; no arguments, because a database's URI may hold a password."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_MLFLOW)}
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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
