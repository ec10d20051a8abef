"""A client that costs little: so many requests over so many connections that stay open."""

from __future__ import annotations

import asyncio
import re
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def requests_per_s(port: int, path: str, *, n: int, concurrency: int) -> float:
    """Send GETs and read the answers; each connection sends the next when it has the last."""
    left = iter(range(n))
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            found = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200") or found is None:
                raise SystemExit(f"not an answer: {head!r}")
            await reader.readexactly(int(found.group(1)))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return n / (time.perf_counter() - began)
