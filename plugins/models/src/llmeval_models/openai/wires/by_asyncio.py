"""HTTP by asyncio alone: HTTP/1.1 without proxies, all that a model's server needs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import aiohappyeyeballs

from llmeval_models.openai.tls import make_tls
from llmeval_models.openai.wires.connection import Connection, reason_of
from llmeval_models.openai.wires.wire import KEEPALIVE_S, BrokenError, Limits, Reply, TooLateError
from llmeval_models.settings import ServerSettings

_NEXT_ADDRESS_AFTER_S = 0.25
_KEPT_IN_TARGETS = "/%:@!$&'()*+,;=-._~?"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a URL leads.

    Attributes:
        target: the path as it is sent.
        name: host and port as they are sent.
    """

    host: str
    port: int
    tls: bool
    target: str
    name: str


class AsyncioWire:
    """A pool of connections.

    Args:
        settings: how long to wait for a connection, and how long an answer may be.
        headers: sent with each request; all printable ASCII.
    """

    def __init__(self, settings: ServerSettings, headers: Mapping[str, str]) -> None:
        self._settings = settings
        self._connect_timeout_s = settings.connect_timeout_s
        self._lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        self._names_host = "host" in map(str.lower, headers)
        self._places: dict[str, _Place] = {}
        self._heads: dict[tuple[str, str], bytes] = {}
        self._idle: dict[tuple[str, int, bool], list[Connection]] = {}
        self._open: set[Connection] = set()
        self._tls: ssl.SSLContext | None = None
        self._limits = Limits(settings.max_answer_bytes, settings.max_header_bytes)

    async def send(self, method: str, url: str, content: bytes | None) -> Reply:
        """Send one request; see `Wire`."""
        place = self._place(url)
        idle = self._idle.setdefault((place.host, place.port, place.tls), [])
        connection = self._reusable(idle) or await self._connect(place)
        head = self._heads.get((method, url))
        if head is None:  # made once a path, not once a request
            host = "" if self._names_host else f"Host: {place.name}\r\n"
            text = f"{method} {place.target} HTTP/1.1\r\n{host}{self._lines}"
            head = self._heads[method, url] = text.encode()
        length = b"" if content is None else b"Content-Length: %d\r\n" % len(content)
        reply = await connection.ask(b"".join((head, length, b"\r\n", content or b"")))
        if connection.usable:
            connection.idle_since = asyncio.get_running_loop().time()
            idle.append(connection)
        else:
            connection.abort()
        return reply

    async def aclose(self) -> None:
        """Close all connections."""
        for connection in self._open:
            connection.abort()
        await asyncio.gather(*[connection.closed for connection in self._open])
        self._idle.clear()

    def _place(self, url: str) -> _Place:
        """Read a URL, once a path.

        Raises:
            BrokenError: it has no good host.
        """
        place = self._places.get(url)
        if place is None:
            try:
                place = self._places[url] = _read(url)
            except ValueError as err:  # UnicodeError is one
                raise BrokenError(f"no good address: {err}") from err
        return place

    def _reusable(self, idle: list[Connection]) -> Connection | None:
        """Take the connection that was used last, and drop those that are too old or closed."""
        now = asyncio.get_running_loop().time()
        while idle:
            connection = idle.pop()
            if connection.usable and now - connection.idle_since < KEEPALIVE_S:
                return connection
            connection.abort()
        return None

    async def _connect(self, place: _Place) -> Connection:
        if place.tls and self._tls is None:
            self._tls = make_tls(self._settings)
        timer = asyncio.timeout(self._connect_timeout_s)
        try:
            async with timer:
                loop = asyncio.get_running_loop()
                addresses = await loop.getaddrinfo(
                    place.host, place.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
                )
                # Not left to create_connection, because uvloop's tries one address at a time.
                connected = await aiohappyeyeballs.start_connection(
                    addresses, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S
                )
                _, connection = await loop.create_connection(
                    lambda: Connection(self._limits),
                    sock=connected,
                    ssl=self._tls if place.tls else None,
                    server_hostname=place.host if place.tls else None,
                )
        except (OSError, UnicodeError) as err:
            if timer.expired():
                raise TooLateError from err
            raise BrokenError(reason_of(err)) from err
        self._open.add(connection)
        connection.closed.add_done_callback(lambda _: self._open.discard(connection))
        return connection


def _read(url: str) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    tls = parts.scheme == "https"
    name = f"[{host}]" if ":" in host else host
    query = f"?{parts.query}" if parts.query else ""
    return _Place(
        host,
        parts.port or (443 if tls else 80),
        tls,
        target=quote(f"{parts.path or '/'}{query}", safe=_KEPT_IN_TARGETS),
        name=name if parts.port is None else f"{name}:{parts.port}",
    )
