"""The embedded MLflow server: started in the background, restarted, and ended with us.

States and transitions, as a process of llmeval sees them:

* *not installed*: MLflow is missing; `upstream` returns `Unavailable("none")`. Final.
* *waiting*: another process of this folder runs the server and holds the folder's lock. Requests
  are forwarded to the server that the service file names, if it names one. The lock is free
  -> *setting up*.
* *setting up*: the tables are created. Done -> *starting*. The database cannot be used -> *failed*.
* *starting*: the server's process is started. It answers to its host name -> *ready*. It ends, or
  does not answer within `_START_TIMEOUT_S` -> *failed*.
* *ready*: requests are forwarded to it, and the service file names it. It ends -> *failed*.
* *failed*: what is left of the server is ended. After a pause, which doubles while the server does
  not stay up -> *setting up*. If the folder cannot be used, the lock is released, and after the
  longest pause -> *waiting*.
* *stopped*: `stop` was called in any state; the server is ended and the service file removed.

In *setting up* and *starting* `upstream` returns `Unavailable("starting")`, in *failed*
`Unavailable("failed")`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from filelock import FileLock, Timeout

from llmeval_core.support import Backoff
from llmeval_mlflow_proxy.embedded.backend_store import BackendStore, find_backend_store
from llmeval_mlflow_proxy.embedded.server_process import ServerProcess, set_up_tables, start_server
from llmeval_mlflow_proxy.embedded.service_file import ServiceFile, read_service_file
from llmeval_mlflow_proxy.embedded.table_setup import has_tables
from llmeval_mlflow_proxy.http_client import new_session
from llmeval_mlflow_proxy.upstream import Unavailable, Upstream

LOG_FILE = "mlflow-server.log"
_PAUSES = Backoff(first_s=0.5, longest_s=30.0)
_STABLE_S = 60.0
"""After a server that ran for so long, the first pause is the shortest again, seconds."""
_START_TIMEOUT_S = 180.0
_POLL_S = 0.2
_PROBE = "/api/2.0/mlflow/experiments/search?max_results=1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerHistory:
    """What has happened to the embedded server so far.

    Args:
        n_ends: how often it ended by itself.
        log: the file with its output; None before it was started.
    """

    n_ends: int
    log: Path | None


class EmbeddedServer:
    """A child process `mlflow server` on a free loopback port; one for each project folder.

    It accepts only a Host header that is secret, so that neither a web page nor another process on
    that port is taken for it.

    Args:
        store_uri: a database; None for the project's own SQLite file.
        first_port: where to listen at the first attempt; None for a free port.
    """

    def __init__(self, store_uri: str | None, *, first_port: int | None = None) -> None:
        self._store_uri = store_uri
        self._port = first_port
        self._state: Upstream | Unavailable = Unavailable("starting", "MLflow is about to start")
        self._task: asyncio.Task[None] | None = None
        self._n_ends = 0
        self._log_file: Path | None = None

    def upstream(self) -> Upstream | Unavailable:
        """Return the server if it is ready."""
        return self._state

    def history(self) -> ServerHistory:
        """Return what has happened to it so far."""
        return ServerHistory(self._n_ends, self._log_file)

    async def start(self, home: Path) -> None:
        """Begin; return at once."""
        if importlib.util.find_spec("mlflow") is None:
            self._state = Unavailable(
                "none",
                "MLflow is not installed here, so no server can be started",
                "pip install 'llmeval-mlflow-proxy[embedded]', or set MLFLOW_TRACKING_URI",
            )
            return
        self._task = asyncio.create_task(self._keep_running(home))

    async def stop(self) -> None:
        """End the server with all its processes."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = None

    async def _keep_running(self, home: Path) -> None:
        home = await asyncio.to_thread(home.absolute)
        store = find_backend_store(self._store_uri, home=home)
        self._log_file = home / LOG_FILE
        service_file = ServiceFile(home)
        while True:
            try:
                async with _folder_lock(home) as is_ours:
                    if is_ours:
                        await self._restart_forever(store, service_file)
                    else:
                        await self._use_other_process(home)
            except OSError as err:
                self._fail(f"{err.strerror or err}: {err.filename or home}")
                await asyncio.sleep(_PAUSES.longest_s)

    async def _restart_forever(self, store: BackendStore, service_file: ServiceFile) -> None:
        n_failures = 0
        while True:
            started = time.monotonic()
            await self._run_once(store, service_file)
            if time.monotonic() - started > _STABLE_S:
                n_failures = 0
            n_failures += 1
            await asyncio.sleep(_PAUSES.wait_s(n_failures))

    async def _run_once(self, store: BackendStore, service_file: ServiceFile) -> None:
        """Start the server and wait until it ends."""
        assert self._log_file is not None
        self._state = Unavailable("starting", "MLflow is starting; that takes some seconds")
        if not await self._set_up(store):
            return
        host = f"{secrets.token_hex(16)}.localhost"
        process = await start_server(store, host=host, log=self._log_file, port=self._port)
        self._port = None
        upstream = Upstream(f"http://127.0.0.1:{process.port}", host)
        try:
            if await _answers(upstream, process):
                self._state = upstream
                service_file.write(upstream)
                _log.info("MLflow is ready at %s", upstream.url)
                await process.child.wait()
            self._n_ends += 1
            ended = process.child.exit_text()
            self._fail(f"MLflow ended ({ended})" if ended else "MLflow did not start in time")
        finally:
            service_file.remove()
            await process.end()

    async def _set_up(self, store: BackendStore) -> bool:
        """Create the tables, unless they exist; the tracker may do so at this moment."""
        assert self._log_file is not None
        for folder in (store.lock.parent, store.artifacts):
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with _locked(FileLock(store.lock, thread_local=False)):
            if store.database is not None and has_tables(store.database):
                return True
        if await set_up_tables(store, log=self._log_file) == 0:
            return True
        self._fail("MLflow cannot use its database")
        return False

    async def _use_other_process(self, home: Path) -> None:
        """Use the server that another process of llmeval keeps for this folder."""
        running = await asyncio.to_thread(read_service_file, home)
        if running is None:
            reason = "another llmeval server of this folder is starting MLflow"
            self._state = Unavailable("starting", reason)
        else:
            self._state = running
        await asyncio.sleep(_POLL_S * 5)

    def _fail(self, reason: str) -> None:
        _log.warning("%s; the next attempt follows", reason)
        self._state = Unavailable(
            "failed", f"{reason}; it is started again", f"{self._log_file} says why"
        )


@contextlib.asynccontextmanager
async def _folder_lock(home: Path) -> AsyncIterator[bool]:
    """Hold the lock of the folder's MLflow server, if it is free; yields whether it is held."""
    await asyncio.to_thread(home.mkdir, parents=True, exist_ok=True)
    lock = FileLock(home / "mlflow-server.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


@contextlib.asynccontextmanager
async def _locked(lock: FileLock) -> AsyncIterator[None]:
    """Wait for a lock without blocking the event loop or a thread that outlives us."""
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            await asyncio.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.release()


async def _answers(upstream: Upstream, process: ServerProcess) -> bool:
    """Wait until MLflow answers to its host name; False if it ends or takes too long."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    async with new_session(total_s=30) as session:
        while process.child.returncode is None and time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(
                    upstream.url + _PROBE, headers={"Host": upstream.host}
                ) as response:
                    if response.status == 200:
                        return process.child.returncode is None
            await asyncio.sleep(_POLL_S)
    return False
