"""What stands before the far server: our proxy, or a bare aiohttp GET in an ASGI application.

Run `python -m benchmarks.near_server proxy|bare URL`: uvicorn, one process; it prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from llmeval_mlflow_proxy.forwarding_policy import MlflowPolicy
from llmeval_mlflow_proxy.lifespan import serve_lifespan
from llmeval_mlflow_proxy.proxy import Proxy
from llmeval_mlflow_proxy.upstream import FixedUpstream, Upstream


class Bare:
    """The least that a proxy of GETs must do: ask, read, answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one lifespan or request; Any: ASGI has no static type."""
        if scope["type"] == "lifespan":
            await serve_lifespan(receive, send, self._running())
            return
        assert self._session is not None
        async with self._session.get(self._url + scope["path"]) as response:
            body = await response.read()
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @contextlib.asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self._session:
            yield


def main() -> None:
    """Serve until somebody ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["proxy", "bare"])
    parser.add_argument("url")
    flags = parser.parse_args()
    app: Any = Bare(flags.url)
    if flags.kind == "proxy":
        host = flags.url.removeprefix("http://")
        source = FixedUpstream(Upstream(flags.url, host))
        app = Proxy(source, Path(), name="MLflow", policy=MlflowPolicy())
    # With the protocol named, asyncio turns off Nagle, which would cost 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, ws="none")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listening]))


if __name__ == "__main__":
    main()
