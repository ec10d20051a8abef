"""A server to be proxied, which costs next to nothing: small answers, big ones, and uploads.

`GET /small` is 300 bytes of JSON, `GET /big?N` so many bytes, and whatever has a body is read to
its end. Run `python -m benchmarks.far_server`: it prints its port.
"""

from __future__ import annotations

import asyncio
import re

_SMALL = b'{"experiments": [' + b'{"experiment_id": "1"}, ' * 10 + b'{"experiment_id": "11"}]}'
_PIECE = bytes(1 << 18)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if found := _LENGTH.search(head):
                await _swallow(reader, int(found.group(1)))
            target = head.split(b" ", 2)[1]
            n_bytes = int(target.partition(b"?")[2] or 0)
            writer.write(_head(n_bytes or len(_SMALL)))
            if n_bytes:
                for start in range(0, n_bytes, len(_PIECE)):
                    writer.write(_PIECE[: n_bytes - start])
                    await writer.drain()
            else:
                writer.write(_SMALL)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _swallow(reader: asyncio.StreamReader, n_bytes: int) -> None:
    while n_bytes:
        n_bytes -= len(await reader.read(min(n_bytes, len(_PIECE))))


def _head(n_bytes: int) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % n_bytes
    )


async def _main() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
