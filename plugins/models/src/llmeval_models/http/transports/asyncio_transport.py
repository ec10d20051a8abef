"""HTTP with asyncio alone: HTTP/1.1 without proxies, all that a model's server needs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import aiohappyeyeballs

from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.tls import make_tls
from llmeval_models.http.transports.http_connection import HttpConnection, reason_of
from llmeval_models.http.transports.transport import (
    KEEPALIVE_S,
    ConnectTimeoutError,
    HttpResponse,
    ResponseLimits,
    TransportError,
)

_NEXT_ADDRESS_AFTER_S = 0.25
_KEPT_IN_TARGETS = "/%:@!$&'()*+,;=-._~?"


@dataclass(frozen=True, slots=True)
class _RequestTarget:
    """Where a URL leads.

    Attributes:
        path: path and query as they are sent.
        host_header: host and port as they are sent.
    """

    host: str
    port: int
    tls: bool
    path: str
    host_header: str


class AsyncioTransport:
    """A pool of connections.

    Args:
        settings: how long to wait for a connection, and how long an answer may be.
        headers: sent with each request; all printable ASCII.
    """

    def __init__(self, settings: HttpSettings, headers: Mapping[str, str]) -> None:
        self._settings = settings
        self._connect_timeout_s = settings.connect_timeout_s
        self._lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        self._names_host = "host" in map(str.lower, headers)
        self._targets: dict[str, _RequestTarget] = {}
        self._heads: dict[tuple[str, str], bytes] = {}
        self._idle: dict[tuple[str, int, bool], list[HttpConnection]] = {}
        self._open: set[HttpConnection] = set()
        self._tls: ssl.SSLContext | None = None
        self._limits = ResponseLimits(settings.max_answer_bytes, settings.max_header_bytes)

    async def send(self, method: str, url: str, content: bytes | None) -> HttpResponse:
        """Send one request; see `Transport`."""
        target = self._target(url)
        idle = self._idle.setdefault((target.host, target.port, target.tls), [])
        connection = self._reusable(idle) or await self._connect(target)
        head = self._heads.get((method, url))
        if head is None:  # made once a path, not once a request
            host = "" if self._names_host else f"Host: {target.host_header}\r\n"
            text = f"{method} {target.path} HTTP/1.1\r\n{host}{self._lines}"
            head = self._heads[method, url] = text.encode()
        length = b"" if content is None else b"Content-Length: %d\r\n" % len(content)
        response = await connection.ask(b"".join((head, length, b"\r\n", content or b"")))
        if connection.usable:
            connection.idle_since = asyncio.get_running_loop().time()
            idle.append(connection)
        else:
            connection.abort()
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._open:
            connection.abort()
        await asyncio.gather(*[connection.closed for connection in self._open])
        self._idle.clear()

    def _target(self, url: str) -> _RequestTarget:
        """Read a URL, once a path.

        Raises:
            TransportError: it has no good host.
        """
        target = self._targets.get(url)
        if target is None:
            try:
                target = self._targets[url] = _read(url)
            except ValueError as err:  # UnicodeError is one
                raise TransportError(f"no good address: {err}") from err
        return target

    def _reusable(self, idle: list[HttpConnection]) -> HttpConnection | None:
        """Take the connection that was used last, and drop those that are too old or closed."""
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.usable and now - connection.idle_since < KEEPALIVE_S:
                return connection
            connection.abort()
        return None

    async def _connect(self, target: _RequestTarget) -> HttpConnection:
        if target.tls and self._tls is None:
            self._tls = make_tls(self._settings)
        timer = asyncio.timeout(self._connect_timeout_s)
        try:
            async with timer:
                loop = asyncio.get_running_loop()
                addresses = await loop.getaddrinfo(
                    target.host, target.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
                )
                # Not left to create_connection, because uvloop's tries one address at a time.
                connected = await aiohappyeyeballs.start_connection(
                    addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S
                )
                _, connection = await loop.create_connection(
                    lambda: HttpConnection(self._limits),
                    sock=connected,
                    ssl=self._tls if target.tls else None,
                    server_hostname=target.host if target.tls else None,
                )
        except (OSError, UnicodeError) as err:
            if timer.expired():
                raise ConnectTimeoutError from err
            raise TransportError(reason_of(err)) from err
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        return connection


def _read(url: str) -> _RequestTarget:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    tls = parts.scheme == "https"
    name = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return _RequestTarget(
        host,
        parts.port or (443 if tls else 80),
        tls,
        path=quote(f"{parts.path or '/'}{query}", safe=_KEPT_IN_TARGETS),
        host_header=name if parts.port is None else f"{name}:{parts.port}",
    )
