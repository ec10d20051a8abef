"""Sends requests to an upstream and its responses back to the client."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from llmeval_mlflow_proxy.http_client import new_session, tls_of
from llmeval_mlflow_proxy.proxied_headers import request_headers
from llmeval_mlflow_proxy.request_body import RequestBody, Scope
from llmeval_mlflow_proxy.upstream import Upstream

_RESPONSE_TIMEOUT_S = 300.0
"""How long an upstream that has the whole request may take to respond, seconds."""
_CLOSE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class ForwardTarget:
    """Where one request goes.

    Args:
        upstream: the server.
        rest: the raw path below its URL.
        prefix: our prefix, as the browser has it.
    """

    upstream: Upstream
    rest: str
    prefix: str


class Forwarder:
    """One HTTP session for all requests of a proxy."""

    def __init__(self) -> None:
        self._session = new_session()
        self._tls: dict[Path, Any] = {}  # Any: aiohttp takes a context or a bool

    async def close(self) -> None:
        """Close the session, even if connections are still in use."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._session.close()

    async def send(
        self, scope: Scope, target: ForwardTarget, body: RequestBody
    ) -> aiohttp.ClientResponse:
        """Send a request; return the response, whose body is not read yet.

        Raises:
            aiohttp.ClientError, TimeoutError, OSError: there is no response.
            ClientDisconnectedError: the client left; may be the cause of a ClientError.
        """
        upstream, rest = target.upstream, target.rest
        query = scope["query_string"].decode("latin-1").replace("#", "%23")
        url = f"{upstream.url}{rest}?{query}" if query else upstream.url + rest
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_RESPONSE_TIMEOUT_S) as timeout:

            def restart_timeout() -> None:
                with contextlib.suppress(RuntimeError):  # the response came before the body's end
                    timeout.reschedule(loop.time() + _RESPONSE_TIMEOUT_S)

            return await self._session.request(
                scope["method"],
                URL(url, encoded=True),
                headers=request_headers(scope, upstream, prefix=target.prefix),
                data=None if body.is_empty else body.pieces(restart_timeout),
                allow_redirects=False,
                ssl=await self._tls_of(upstream),
            )

    async def _tls_of(self, upstream: Upstream) -> Any:  # Any: a context or a bool
        if upstream.ca_file is None or not upstream.verify_tls:
            return tls_of(upstream)
        if upstream.ca_file not in self._tls:
            self._tls[upstream.ca_file] = await asyncio.to_thread(tls_of, upstream)
        return self._tls[upstream.ca_file]
