"""An upstream that says exactly the bytes it is told to, and remembers the bytes it got."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Answer = Callable[["Exchange"], Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One connection: what the proxy sent, and a way to answer."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def target(self) -> str:
        """The path and query, as they came over the wire."""
        return self.head.split(b" ")[1].decode("ascii")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers, in lower case, in their order."""
        lines = self.head.decode("utf-8").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return [(name.lower(), value.strip()) for name, _, value in pairs]

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name]

    async def body(self) -> bytes:
        """Read the request's body to its end."""
        if lengths := self.values("content-length"):
            return await self.reader.readexactly(int(lengths[0]))
        whole = b""
        if self.values("transfer-encoding") == ["chunked"]:
            while size := int(await self.reader.readline(), 16):
                whole += await self.reader.readexactly(size)
                await self.reader.readline()
            await self.reader.readline()
        return whole

    async def say(self, data: bytes) -> None:
        """Send bytes; waits while nobody takes them."""
        self.writer.write(data)
        await self.writer.drain()


@dataclass(slots=True)
class RawUpstream:
    """A listening upstream and what came to it."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)
    n_closed_by_proxy: int = 0

    @property
    def last(self) -> Exchange:
        """The newest request."""
        return self.exchanges[-1]


def plain(headers: str = "", body: bytes = b"fine", status: str = "200 OK") -> Answer:
    """Make an answer that takes the whole request, then sends the same for each."""

    async def answer(exchange: Exchange) -> None:
        await exchange.body()
        extra = "".join(f"{line}\r\n" for line in headers.splitlines())
        length = "" if "204" in status or "304" in status else f"Content-Length: {len(body)}\r\n"
        sent = b"" if exchange.head.startswith(b"HEAD") or not length else body
        await exchange.say(f"HTTP/1.1 {status}\r\n{length}{extra}\r\n".encode() + sent)

    return answer


@contextlib.asynccontextmanager
async def raw_upstream(answer: Answer) -> AsyncIterator[RawUpstream]:
    """Listen, and answer each request of each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                exchange = Exchange(head, reader, writer)
                upstream.exchanges.append(exchange)
                try:
                    await answer(exchange)
                except ConnectionError:
                    upstream.n_closed_by_proxy += 1
                    raise
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    upstream = RawUpstream(f"http://127.0.0.1:{port}")
    try:
        yield upstream
    finally:
        server.close()
