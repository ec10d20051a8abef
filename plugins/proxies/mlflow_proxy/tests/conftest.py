"""Servers for the tests: a proxy in front of any upstream, and a real MLflow."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from llmeval_mlflow_proxy.forwarding_policy import MlflowPolicy
from llmeval_mlflow_proxy.proxy import Proxy
from llmeval_mlflow_proxy.settings import read_settings
from llmeval_mlflow_proxy.upstream import FixedUpstream, Unavailable, Upstream
from multidict import CIMultiDictProxy
from yarl import URL

from plugins.proxies.mlflow_proxy.tests.raw_upstream import Answer, RawUpstream, raw_upstream
from plugins.proxies.mlflow_proxy.tests.route_server import (
    mount_one,
    route_context,
    serve,
)
from tests.mlflow_server import MlflowServer

PREFIX = "/proxy-mlflow"


@pytest.fixture(autouse=True)
def quiet_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's own settings out, and MLflow's client quick to give up."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "LLMEVAL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@dataclass(frozen=True, slots=True)
class ReceivedResponse:
    """A whole answer."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


@dataclass(slots=True)
class RunningProxy:
    """A proxy with what is behind it.

    Args:
        url: the proxy's URL, with its prefix.
        upstream: what is behind it.
        session: a client that changes nothing.
    """

    url: str
    upstream: RawUpstream
    session: aiohttp.ClientSession

    async def ask(self, method: str, rest: str, **options: Any) -> ReceivedResponse:
        """Ask for a raw path below the prefix, following nothing; Any: aiohttp's options."""
        url = URL(self.url + rest, encoded=True)
        async with self.session.request(method, url, allow_redirects=False, **options) as answer:
            return ReceivedResponse(answer.status, answer.headers, await answer.read())


Proxying = Callable[..., contextlib.AbstractAsyncContextManager[RunningProxy]]


@contextlib.contextmanager
def serve_proxy(
    known: Upstream | Unavailable,
    home: Path,
    *,
    root_path: str = "",
    allowed: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Serve a proxy to a fixed upstream; give its URL with the prefix."""
    proxy = Proxy(
        FixedUpstream(known),
        home,
        name="MLflow",
        policy=MlflowPolicy(),
        allowed_origins=allowed,
        diagnosis="/debug-mlflow",
    )
    with serve(mount_one(PREFIX, proxy, route_context(home)), root_path=root_path) as url:
        yield url + PREFIX


@pytest.fixture
def proxying(tmp_path: Path) -> Proxying:
    """Open a proxy to an upstream that gives one answer."""

    @contextlib.asynccontextmanager
    async def open_one(
        answer: Answer,
        *,
        base: str = "",
        environ: dict[str, str] | None = None,
        root_path: str = "",
    ) -> AsyncIterator[RunningProxy]:
        async with raw_upstream(answer) as upstream:
            settings = read_settings(
                {**(environ or {}), "MLFLOW_TRACKING_URI": upstream.url + base}
            )
            assert isinstance(settings.mlflow, Upstream)
            served = serve_proxy(
                settings.mlflow,
                tmp_path,
                root_path=root_path,
                allowed=settings.allowed_origins,
            )
            url = await asyncio.to_thread(served.__enter__)
            try:
                async with aiohttp.ClientSession(auto_decompress=False) as session:
                    yield RunningProxy(url, upstream, session)
            finally:
                await asyncio.to_thread(served.__exit__, None, None, None)

    return open_one


@pytest.fixture
def mlflow_proxy(mlflow_server: MlflowServer, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a proxy in front of a real MLflow server."""
    host = mlflow_server.url.removeprefix("http://")
    with serve_proxy(Upstream(mlflow_server.url, host), tmp_path) as url:
        yield url
