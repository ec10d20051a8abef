"""Speaking to a server's API."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError

from llmeval_core.hooks import LlmevalError

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)
_API = "/api/v1/"
_CONNECT_S = 10.0
_ANSWER_S = 600.0
"""A submit reads whole data sets before it is answered."""
_SILENCE_S = 60.0
"""Streams of events say that they are alive more often than this."""


class ServerError(LlmevalError):
    """The server does not do what was asked."""


class UnreachableError(ServerError):
    """The server does not answer, now."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, and what it wants to see."""

    url: str
    token: SecretStr | None


@dataclass(frozen=True, slots=True)
class Event:
    """One server-sent event."""

    id: str
    name: str
    data: str


def ask(server: Server, work: Callable[[ApiClient], Awaitable[T]]) -> T:
    """Do something with a server's API, in an event loop of its own."""

    async def do() -> T:
        headers = {}
        if server.token is not None:
            headers["Authorization"] = f"Bearer {server.token.get_secret_value()}"
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_S, total=None)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            return await work(ApiClient(server, session))

    return asyncio.run(do())


class ApiClient:
    """A server's API.

    Args:
        server: which one.
        session: an HTTP client that sends the token.
    """

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def get(self, path: str, kind: type[ModelT], **params: Any) -> ModelT:
        """Ask for a record; Any: query parameters, left out where None.

        Raises:
            ServerError: the server refuses, or is another than we know.
        """
        status, body, _ = await self._send("GET", path, params=params)
        return self._parse(kind, status, body)

    async def text(self, path: str, **params: Any) -> tuple[str, Mapping[str, str]]:
        """Ask for text, with the answer's headers; Any: as `get`.

        Raises:
            ServerError: as `get`.
        """
        status, body, headers = await self._send("GET", path, params=params)
        self._refuse(status, body)
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
        """Have something done; Any: as `get`.

        Raises:
            ServerError: as `get`.
        """
        status, found, _ = await self._send(
            "POST", path, data=body, headers=headers or {}, params=params
        )
        return self._parse(kind, status, found)

    async def events(self, path: str, last: str | None, **params: Any) -> AsyncIterator[Event]:
        """Listen to server-sent events until the stream ends; Any: as `get`.

        Raises:
            UnreachableError: the server does not answer, or went away.
            ServerError: as `get`.
        """
        headers = {"Last-Event-ID": last} if last else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        try:
            async with self._session.get(
                self._url(path), headers=headers, params=_given(params), timeout=timeout
            ) as response:
                if response.status != 200:
                    self._refuse(response.status, await response.read())
                    return
                waiting = b""
                async for part in response.content.iter_any():
                    *whole, waiting = (waiting + part).split(b"\n\n")
                    for block in whole:
                        event = _event(block.decode("utf-8", "replace"))
                        if event is not None:
                            yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise self._unreachable(err) from err

    async def _send(
        self, method: str, path: str, *, params: Mapping[str, Any], **options: Any
    ) -> tuple[int, bytes, Mapping[str, str]]:
        try:
            async with asyncio.timeout(_ANSWER_S):
                async with self._session.request(
                    method, self._url(path), params=_given(params), **options
                ) as response:
                    return response.status, await response.read(), response.headers
        except (aiohttp.ClientError, TimeoutError, OSError) as err:
            raise self._unreachable(err) from err

    def _url(self, path: str) -> str:
        return f"{self.server.url}{_API}{path}"

    def _parse(self, kind: type[ModelT], status: int, body: bytes) -> ModelT:
        self._refuse(status, body)
        try:
            # A newer server may say more than we know of.
            return kind.model_validate_json(body, extra="ignore")
        except ValidationError as err:
            raise self._another() from err

    def _refuse(self, status: int, body: bytes) -> None:
        """Turn an error of the server into one of ours."""
        if status < 400:
            return
        if status == 401:
            raise ServerError(
                "the server wants a token" if self.server.token is None else "the token is wrong",
                where=self.server.url,
                hint="set LLMEVAL_TOKEN to the server's token, or name its file with --token-file",
            )
        try:
            told = _ErrorEnvelope.model_validate_json(body, extra="ignore").error
        except ValidationError as err:
            raise self._another() from err
        if status == 404 and told.what == "not found":  # no such route: it is older than we
            raise self._another()
        raise ServerError(told.what, where=told.where or self.server.url, hint=told.hint)

    def _another(self) -> ServerError:
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


class _ErrorDetail(BaseModel):
    what: str
    where: str | None = None
    hint: str | None = None


class _ErrorEnvelope(BaseModel):
    error: _ErrorDetail


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _event(block: str) -> Event | None:
    """Read one block of a stream; None for a heartbeat."""
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
    if "data" not in fields:
        return None
    return Event(fields.get("id", ""), fields.get("event", "message"), fields["data"])
