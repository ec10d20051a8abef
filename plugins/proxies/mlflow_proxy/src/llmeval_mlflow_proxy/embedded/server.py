"""The embedded MLflow server: started in the background, watched, started again, ended with us."""

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

from llmeval_mlflow_proxy.client import new_session
from llmeval_mlflow_proxy.embedded.announcement import Announcement, read_announcement
from llmeval_mlflow_proxy.embedded.child import Child, prepare, start_child
from llmeval_mlflow_proxy.embedded.preparing import has_tables
from llmeval_mlflow_proxy.embedded.store import Store, find_store
from llmeval_mlflow_proxy.upstream import Absence, Upstream

LOG_FILE = "mlflow-server.log"
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_GOOD_LIFE_S = 60.0  # who lived that long is started again soon
_START_S = 180.0
_POLL_S = 0.2
_PROBE = "/api/2.0/mlflow/experiments/search?max_results=1"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Story:
    """What became of the embedded server so far.

    Args:
        n_ends: how often it ended by itself.
        log: where its output is; None before it was started.
    """

    n_ends: int
    log: Path | None


class EmbeddedServer:
    """A child process `mlflow server` on a free loopback port; one a project folder.

    It answers to a Host header that only we know, so that neither a web page nor another
    process on that port is taken for it.

    Args:
        store_uri: a database; None for the project's own SQLite file.
        first_port: where to listen at the first attempt; None for any free port.
    """

    def __init__(self, store_uri: str | None, *, first_port: int | None = None) -> None:
        self._store_uri = store_uri
        self._port = first_port
        self._state: Upstream | Absence = Absence("starting", "MLflow is about to start")
        self._task: asyncio.Task[None] | None = None
        self._n_ends = 0
        self._log_file: Path | None = None

    def upstream(self) -> Upstream | Absence:
        """Return the server if it is ready."""
        return self._state

    def story(self) -> Story:
        """Return what became of it so far."""
        return Story(self._n_ends, self._log_file)

    async def start(self, home: Path) -> None:
        """Begin; return at once."""
        if importlib.util.find_spec("mlflow") is None:
            self._state = Absence(
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
        store = find_store(self._store_uri, home=home)
        self._log_file = home / LOG_FILE
        announcement = Announcement(home)
        while True:
            try:
                async with _one_per_folder(home) as is_ours:
                    if is_ours:
                        await self._live_again_and_again(store, announcement)
                    else:
                        await self._share(home)
            except OSError as err:
                self._fail(f"{err.strerror or err}: {err.filename or home}")
                await asyncio.sleep(_LONGEST_PAUSE_S)

    async def _live_again_and_again(self, store: Store, announcement: Announcement) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            started = time.monotonic()
            await self._live(store, announcement)
            if time.monotonic() - started > _GOOD_LIFE_S:
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _live(self, store: Store, announcement: Announcement) -> None:
        """Start the server and stay with it until it ends."""
        assert self._log_file is not None
        self._state = Absence("starting", "MLflow is starting; that takes some seconds")
        if not await self._prepare(store):
            return
        host = f"{secrets.token_hex(16)}.localhost"
        child = await start_child(store, host=host, log=self._log_file, port=self._port)
        self._port = None
        upstream = Upstream(f"http://127.0.0.1:{child.port}", host)
        try:
            if await _answers(upstream, child):
                self._state = upstream
                announcement.make(upstream)
                _log.info("MLflow is ready at %s", upstream.url)
                await child.process.wait()
            self._n_ends += 1
            code = child.process.returncode
            self._fail("MLflow did not start in time" if code is None else f"MLflow ended ({code})")
        finally:
            announcement.withdraw()
            await child.end()

    async def _prepare(self, store: Store) -> bool:
        """Make the tables, if nobody has; the tracker may be at it at this moment."""
        assert self._log_file is not None
        for folder in (store.lock.parent, store.artifacts):
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with _locked(FileLock(store.lock, thread_local=False)):
            if store.database is not None and has_tables(store.database):
                return True
        if await prepare(store, log=self._log_file) == 0:
            return True
        self._fail("MLflow cannot use its database")
        return False

    async def _share(self, home: Path) -> None:
        """Use the server that another process of ours keeps for this folder."""
        announced = await asyncio.to_thread(read_announcement, home)
        if announced is None:
            reason = "another llmeval server of this folder is starting MLflow"
            self._state = Absence("starting", reason)
        else:
            self._state = announced
        await asyncio.sleep(_POLL_S * 5)

    def _fail(self, reason: str) -> None:
        _log.warning("%s; the next attempt follows", reason)
        self._state = Absence(
            "failed", f"{reason}; it is started again", f"{self._log_file} says why"
        )


@contextlib.asynccontextmanager
async def _one_per_folder(home: Path) -> AsyncIterator[bool]:
    """Tell whether this process is the one that keeps the folder's MLflow server."""
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
    """Wait for a lock without blocking the event loop, nor a thread that outlives us."""
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


async def _answers(upstream: Upstream, child: Child) -> bool:
    """Wait until MLflow answers to our host name; False if it ended, or takes too long."""
    deadline = time.monotonic() + _START_S
    async with new_session(total_s=30) as session:
        while child.process.returncode is None and time.monotonic() < deadline:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(
                    upstream.url + _PROBE, headers={"Host": upstream.host}
                ) as response:
                    if response.status == 200:
                        return child.process.returncode is None
            await asyncio.sleep(_POLL_S)
    return False
