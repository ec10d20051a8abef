"""What servers answer against the standard, and how both HTTP clients take it alike."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import Http
from .test_transports import Talk, ask, failure, once, read_request, serving

PATIENCE_S = 30
BODY = b'{"ok": 1}'
END = b"Content-Length: 9\r\n\r\n" + BODY
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

READ = {
    "lines ended by LF": b"HTTP/1.1 200 OK\nX: 1\nContent-Length: 9\n\n" + BODY,
    "only some lines ended by LF": b"HTTP/1.1 200 OK\nContent-Length: 9\r\n\n" + BODY,
    "an empty line before": b"\r\n\n" + OK + END,
    "a folded header": OK + b"X: 1\r\n 2\r\n\t3\r\n" + END,
    "a folded length": OK + b"Content-Length:\r\n 9\r\n\r\n" + BODY,
    "no reason": b"HTTP/1.1 200\r\n" + END,
    "an empty reason": b"HTTP/1.1 200 \r\n" + END,
    "a reason in another charset": b"HTTP/1.1 200 \xe9\xff\r\n" + END,
    "100 before": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + END,
    "102 and 103 before": b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK + END,
    "fifty times 100": b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + OK + END,
    "chunks with extensions": CHUNKED + b'4;a=b;c="d"\r\n{"ok\r\n5;x\r\n": 1}\r\n0;y\r\n\r\n',
    "chunks with trailers": CHUNKED + b"9\r\n" + BODY + b"\r\n0\r\nX: 1\r\nY: 2\r\n\r\n",
    "chunk sizes with zeros": CHUNKED + b"00000009\r\n" + BODY + b"\r\n000\r\n\r\n",
}
UNTIL_CLOSED = {
    "no length": OK + b"\r\n" + BODY,
    "no length, lines ended by LF": b"HTTP/1.1 200 OK\n\n" + BODY,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
}
CLOSED_EARLY = {
    "in the head": OK + b"Content-Le",
    "in the head, lines ended by LF": b"HTTP/1.1 200 OK\nContent-Length: 9\n",
    "after 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "in the body": OK + b"Content-Length: 50\r\n\r\n" + BODY,
    "between chunks": CHUNKED + b"9\r\n" + BODY + b"\r\n",
    "before the last empty line": CHUNKED + b"9\r\n" + BODY + b"\r\n0\r\n",
}
BROKEN = {
    "garbage": b"\x00\x01\x02nonsense\r\n\r\n",
    "one byte of garbage": b"\x00",
    "a body alone": BODY,
    "lines ended by CR": b"HTTP/1.1 200 OK\rContent-Length: 9\r\r" + BODY,
    "a CR in a header": OK + b"X: a\rb\r\n" + END,
    "a NUL in a header": OK + b"X: a\0b\r\n" + END,
    "a line without a colon": OK + b"X\r\n" + END,
    "a space before the colon": OK + b"X : 1\r\n" + END,
    "a length below 0": OK + b"Content-Length: -9\r\n\r\n" + BODY,
    "an empty length": OK + b"Content-Length:\r\n\r\n" + BODY,
    "two lengths that differ": OK + b"Content-Length: 3\r\n" + END,
    "another version": b"HTTP/1.2 200 OK\r\n" + END,
    "a status of two digits": b"HTTP/1.1 20 OK\r\n" + END,
}
BROKEN_CHUNKS = {
    "a chunk of no size": CHUNKED + b"zz\r\n",
    "a chunk of a size below 0": CHUNKED + b"-1\r\n",
    "a chunk of a size beyond all": CHUNKED + b"fffffffffffffffff\r\n",
    "a chunk longer than its size": CHUNKED + b"5\r\n" + BODY + b"\r\n0\r\n\r\n",
}
TOO_LONG = {
    "a header": OK + b"X: " + b"a" * 2_000_000,
    "a folded header": OK + b"X: 1\r\n" + b" 2\r\n" * 50_000 + END,
    "a reason": b"HTTP/1.1 200 " + b"a" * 2_000_000,
}


def named(cases: dict[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("said", [pytest.param(cases[name], id=name) for name in cases])


def stays_open(said: bytes, *, piece_bytes: int) -> Talk:
    """Answer one request, a few bytes at a time, and then wait for the client to close."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for at in range(0, len(said), piece_bytes):
            writer.write(said[at : at + piece_bytes])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()

    return talk


@pytest.mark.parametrize("piece_bytes", [1, 1_000_000])
@named(READ)
async def test_what_can_be_understood_is_read(http: Http, said: bytes, piece_bytes: int) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        serving(stays_open(said, piece_bytes=piece_bytes)) as port,
    ):
        found = await ask(f"http://127.0.0.1:{port}", http)

    assert found == {"ok": 1}


@named(UNTIL_CLOSED)
async def test_without_a_length_the_answer_ends_with_the_connection(
    http: Http, said: bytes
) -> None:
    async with asyncio.timeout(PATIENCE_S), serving(once(said)) as port:
        found = await ask(f"http://127.0.0.1:{port}", http)

    assert found == {"ok": 1}


@named(CLOSED_EARLY)
async def test_a_connection_that_closes_too_early_is_broken(http: Http, said: bytes) -> None:
    async with asyncio.timeout(PATIENCE_S), serving(once(said)) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "connection"


@pytest.mark.parametrize("piece_bytes", [1, 1_000_000])
@named(BROKEN)
async def test_what_cannot_be_understood_is_said_and_not_waited_for(
    http: Http, said: bytes, piece_bytes: int
) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        serving(stays_open(said, piece_bytes=piece_bytes)) as port,
    ):
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "connection"


@named(BROKEN_CHUNKS)
async def test_chunks_that_cannot_be_understood_are_not_waited_for(http: Http, said: bytes) -> None:
    # Only our own client notices what comes later than the head: aiohttp 3.14 waits for more.
    piece_bytes = 1 if http == "asyncio" else 1_000_000
    async with (
        asyncio.timeout(PATIENCE_S),
        serving(stays_open(said, piece_bytes=piece_bytes)) as port,
    ):
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "connection"


@named(TOO_LONG)
async def test_a_head_that_is_too_long_is_not_waited_for(http: Http, said: bytes) -> None:
    async with (
        asyncio.timeout(PATIENCE_S),
        serving(stays_open(said, piece_bytes=1_000_000)) as port,
    ):
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "malformed"
    assert error.what == "the headers of the answer are longer than 65,536 bytes"


async def test_nobody_asked_for_another_protocol(http: Http) -> None:
    said = b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    async with asyncio.timeout(PATIENCE_S), serving(stays_open(said, piece_bytes=1000)) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "bad_request"
