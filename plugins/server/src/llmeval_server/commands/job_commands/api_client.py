"""A client of a server's API."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError

from llmeval_core.hooks import LlmevalError
from llmeval_server.jobs.job_records import JobError

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)
_API = "/api/v1/"
_CONNECT_S = 10.0
_RESPONSE_S = 600.0
"""How long a response may take, seconds; a submit reads whole data sets first."""
_SILENCE_S = 60.0
"""How long an event stream may be silent, seconds; the server pings more often."""


class ServerError(LlmevalError):
    """The server refused a request, or its response cannot be understood."""


class UnreachableError(ServerError):
    """The server cannot be reached at present."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server's URL and its token."""

    url: str
    token: SecretStr | None


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event."""

    id: str
    name: str
    data: str


def run_with_api(server: ServerAddress, work: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Run a coroutine with a client of a server's API, in a new event loop."""

    async def run() -> T:
        headers = {}
        if server.token is not None:
            headers["Authorization"] = f"Bearer {server.token.get_secret_value()}"
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_S, total=None)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            return await work(ApiClient(server, session))

    return asyncio.run(run())


class ApiClient:
    """A client of a server's API.

    Args:
        server: the server.
        session: an HTTP session that sends the token.
    """

    def __init__(self, server: ServerAddress, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def get(self, path: str, kind: type[ModelT], **params: Any) -> ModelT:
        """Get a record; Any: query parameters, left out where None.

        Raises:
            ServerError: the server refuses, or its response cannot be understood.
        """
        status, body, _ = await self._send("GET", path, params=params)
        return self._parse(kind, status, body)

    async def text(self, path: str, **params: Any) -> tuple[str, Mapping[str, str]]:
        """Get a text and the response's headers; Any: as `get`.

        Raises:
            ServerError: as `get`.
        """
        status, body, headers = await self._send("GET", path, params=params)
        self._raise_for_error(status, body)
        return body.decode("utf-8", "replace"), headers

    async def post(
        self,
        path: str,
        kind: type[ModelT],
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> ModelT:
        """Post a request; Any: as `get`.

        Raises:
            ServerError: as `get`.
        """
        status, found, _ = await self._send(
            "POST", path, data=body, headers=headers or {}, params=params
        )
        return self._parse(kind, status, found)

    async def events(
        self, path: str, last: str | None, **params: Any
    ) -> AsyncIterator[ServerEvent]:
        """Yield server-sent events until the stream ends; Any: as `get`.

        Raises:
            UnreachableError: the server cannot be reached, or the connection broke.
            ServerError: as `get`.
        """
        headers = {"Last-Event-ID": last} if last else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        try:
            async with self._session.get(
                self._url(path), headers=headers, params=_without_none(params), timeout=timeout
            ) as response:
                if response.status != 200:
                    self._raise_for_error(response.status, await response.read())
                    return
                rest = b""
                async for part in response.content.iter_any():
                    *whole, rest = (rest + part).split(b"\n\n")
                    for block in whole:
                        event = _parse_event(block.decode("utf-8", "replace"))
                        if event is not None:
                            yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise self._unreachable(err) from err

    async def _send(
        self, method: str, path: str, *, params: Mapping[str, Any], **options: Any
    ) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            async with asyncio.timeout(_RESPONSE_S):
                async with self._session.request(
                    method, self._url(path), params=_without_none(params), **options
                ) as response:
                    return response.status, await response.read(), response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise self._unreachable(err) from err

    def _url(self, path: str) -> str:
        return f"{self.server.url}{_API}{path}"

    def _parse(self, kind: type[ModelT], status: int, body: bytes) -> ModelT:
        self._raise_for_error(status, body)
        try:
            # A newer server may send fields that are unknown here.
            return kind.model_validate_json(body, extra="ignore")
        except ValidationError as err:
            raise self._not_understood() from err

    def _raise_for_error(self, status: int, body: bytes) -> None:
        """Raise the server's error if the status is one."""
        if status < 400:
            return
        if status == 401:
            raise ServerError(
                "the server wants a token" if self.server.token is None else "the token is wrong",
                where=self.server.url,
                hint="set LLMEVAL_TOKEN to the server's token, or name its file with --token-file",
            )
        try:
            error = _ErrorEnvelope.model_validate_json(body, extra="ignore").error
        except ValidationError as err:
            raise self._not_understood() from err
        if (
            status == 404 and error.what == "not found"
        ):  # no such route: the server is older than this client
            raise self._not_understood()
        raise ServerError(error.what, where=error.where or self.server.url, hint=error.hint)

    def _not_understood(self) -> ServerError:
        return ServerError(
            "what answers there is no llmeval server that we know how to speak to",
            where=self.server.url,
            hint="check the address, and that server and client have the same version",
        )

    def _unreachable(self, err: Exception) -> UnreachableError:
        if isinstance(err, aiohttp.ClientConnectorCertificateError):
            return UnreachableError(
                "the server's certificate is not trusted",
                where=self.server.url,
                hint="SSL_CERT_FILE names the certificates to trust",
            )
        reason = str(err) or type(err).__name__
        if isinstance(err, aiohttp.ClientConnectorError) and err.os_error.errno:
            reason = os.strerror(err.os_error.errno).lower()
        return UnreachableError(
            f"the server does not answer: {reason}",
            where=self.server.url,
            hint="is `llmeval serve` running? --server or LLMEVAL_SERVER names another address",
        )


class _ErrorEnvelope(BaseModel):
    error: JobError


def _without_none(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _parse_event(block: str) -> ServerEvent | None:
    """Parse one block of a stream; None if it has no data, as a ping."""
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
    if "data" not in fields:
        return None
    return ServerEvent(fields.get("id", ""), fields.get("event", "message"), fields["data"])
