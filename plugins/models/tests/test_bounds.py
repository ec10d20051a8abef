"""How long an answer may be, in both HTTP clients, against a server that is one function."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib

import pytest
from llmeval_models.http.transports.compression import decompressed
from llmeval_models.http.transports.response_parser import ResponseParser
from llmeval_models.http.transports.transport import (
    ResponseLimits,
    TransportError,
    UnusableResponseError,
)

from llmeval_core.hooks import ModelError

from .conftest import Http
from .test_transports import Talk, answer, ask, failure, read_request, serving

MIB = 2**20
PATIENCE_S = 30
TOO_LONG = "the answer is longer than 1,048,576 bytes"
HINT = "the setting max_answer_bytes allows more"


def says(head: str, *pieces: bytes, repeat: int = 1) -> Talk:
    """Answer one request with a head and pieces, then keep the connection open."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(head.replace("\n", "\r\n").encode())
        for _ in range(repeat):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        await reader.read()

    return talk


CHUNKED = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
BOMB = gzip.compress(b" " * (64 * MIB))
ENDLESS = {
    "of a length that is told": says("HTTP/1.1 200 OK\nContent-Length: 99999999999999\n\n", b"{"),
    "of an absurd length": says(f"HTTP/1.1 200 OK\nContent-Length: {'9' * 400}\n\n", b"{"),
    "without a length": says("HTTP/1.1 200 OK\n\n", b"x" * MIB, repeat=8),
    "in chunks": says(CHUNKED, b"%X\r\n%s\r\n" % (MIB // 4, b"x" * (MIB // 4)), repeat=20),
    "in one chunk of an absurd size": says(CHUNKED + "FFFFFFFFFFFF\n", b"x" * MIB, repeat=8),
    "in a compressed bomb": says(
        f"HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: {len(BOMB)}\n\n", BOMB
    ),
    "of an error": says("HTTP/1.1 500 Oh\nContent-Length: 99999999999\n\n", b"{"),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_an_answer_that_is_too_long_is_malformed_and_names_the_setting(
    http: Http, name: str
) -> None:
    async with serving(ENDLESS[name]) as port, asyncio.timeout(PATIENCE_S):
        error = await failure(f"http://127.0.0.1:{port}", http, max_answer_bytes=MIB)

    if name == "of an absurd length" and http == "aiohttp":  # it does not parse that
        assert error.kind == "connection"
        return
    assert error.kind == "malformed"
    assert str(error) == f"{TOO_LONG}\n  where: http://127.0.0.1:{port}\n  try:   {HINT}"


async def test_an_answer_that_is_just_as_long_as_it_may_be_is_read(http: Http) -> None:
    text = json.dumps("x" * (MIB - 2)).encode()
    zipped = answer(gzip.compress(text), "Content-Encoding: gzip")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for said in (answer(text), zipped):
            await read_request(reader)
            writer.write(said)
            await writer.drain()

    async with serving(talk) as port:
        url = f"http://127.0.0.1:{port}"
        plain = await ask(url, http, max_answer_bytes=MIB)
        compressed = await ask(url, http, max_answer_bytes=MIB)

    assert len(text) == MIB
    assert plain == compressed == "x" * (MIB - 2)


HEADS = {
    "one long header": says(f"HTTP/1.1 200 OK\nX: {'x' * 100_000}\nContent-Length: 2\n\n", b"{}"),
    "a header without an end": says("HTTP/1.1 200 OK\nX: ", b"x" * 65_536, repeat=4),
    "a long status line": says(f"HTTP/1.1 200 {'O' * 100_000}\nContent-Length: 2\n\n", b"{}"),
    "a trailer without an end": says(CHUNKED, b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 50_000),
}


@pytest.mark.parametrize("name", HEADS)
async def test_headers_and_lines_are_bounded(http: Http, name: str) -> None:
    async with serving(HEADS[name]) as port, asyncio.timeout(PATIENCE_S):
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind in ("malformed", "connection")
    if http == "asyncio":
        assert error.kind == "malformed"
        assert error.what == "the headers of the answer are longer than 65,536 bytes"
        assert error.hint == "the setting max_header_bytes allows more"


@pytest.mark.parametrize("line", [b"2;" + b"x" * 100_000, b"2;" + b"x" * 100_000 + b"\r\n{}\r\n"])
def test_a_line_between_chunks_is_bounded(line: bytes) -> None:
    """Of our own client; aiohttp's parser passes over such a line and keeps nothing of it."""
    with pytest.raises(
        UnusableResponseError, match="the headers of the answer are longer than 65,536"
    ):
        ResponseParser().feed(CHUNKED.replace("\n", "\r\n").encode() + line)


async def test_longer_headers_are_a_setting(http: Http) -> None:
    async with serving(HEADS["one long header"]) as port:
        found = await ask(f"http://127.0.0.1:{port}", http, max_header_bytes=200_000)

    assert found == {}


LF_ONLY = {
    "with a length": b"HTTP/1.1 200 OK\nContent-Type: x\nContent-Length: 2\n\n{}",
    "in chunks": b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\n{}\n0\n\n",
    "mixed": b"HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\n{}",
}


@pytest.mark.parametrize("name", LF_ONLY)
async def test_lines_that_end_without_a_carriage_return_never_hang(http: Http, name: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(LF_ONLY[name])
        await reader.read()

    async with serving(talk) as port, asyncio.timeout(PATIENCE_S):
        try:
            found = await ask(f"http://127.0.0.1:{port}", http)
        except ModelError:
            found = "an error"

    assert found == {} or (http, found) == ("aiohttp", "an error")


def test_any_number_of_early_heads_is_no_recursion() -> None:
    early = b"HTTP/1.1 103 Early\r\n\r\n" * 2000

    whole = ResponseParser(ResponseLimits(header_bytes=10 * MIB))
    assert whole.feed(early + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    assert whole.response().content == b"{}"
    with pytest.raises(UnusableResponseError, match="headers"):
        ResponseParser(ResponseLimits(header_bytes=10_000)).feed(early)


def test_tiny_chunks_do_not_carry_more_around_them_than_in_them() -> None:
    one = b"1;" + b"x" * 100 + b"\r\nx\r\n"
    reading = ResponseParser(ResponseLimits(answer_bytes=10_000, header_bytes=1000))
    reading.feed(CHUNKED.replace("\n", "\r\n").encode())
    for _ in range(3):
        assert not reading.feed(one * 50)

    with pytest.raises(UnusableResponseError, match="longer than 10,000 bytes"):
        reading.feed(one * 50)


RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(b"hello") + RAW.flush()


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (gzip.compress(b"hello"), "gzip"),
        (gzip.compress(b"hello"), "X-GZip"),
        (gzip.compress(b"hel") + gzip.compress(b"lo"), "gzip"),
        (zlib.compress(b"hello"), "deflate"),
        (RAW_DEFLATE, "deflate"),
        (b"hello", "identity"),
        (b"hello", None),
    ],
)
def test_compressed_bodies(content: bytes, encoding: str | None) -> None:
    assert decompressed(content, encoding, ResponseLimits()) == b"hello"


@pytest.mark.parametrize(
    ("content", "encoding", "error"),
    [
        (gzip.compress(b"x" * 2000), "gzip", UnusableResponseError),
        (zlib.compress(b"x" * 2000), "deflate", UnusableResponseError),
        (gzip.compress(b"x" * 600) * 2, "gzip", UnusableResponseError),
        (b"hello", "br", UnusableResponseError),
        (b"hello", "gzip, gzip", UnusableResponseError),
        (gzip.compress(b"hello")[:-4], "gzip", TransportError),
        (b"hello", "gzip", TransportError),
        (b"\xff\xff\xff", "deflate", TransportError),
    ],
)
def test_what_cannot_be_decompressed(
    content: bytes, encoding: str, error: type[TransportError]
) -> None:
    with pytest.raises(TransportError) as caught:
        decompressed(content, encoding, ResponseLimits(answer_bytes=1000))

    assert type(caught.value) is error


async def test_an_unknown_compression_is_told_with_what_to_try(http: Http) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer(b"xyz", "Content-Encoding: br"))
        await writer.drain()

    async with serving(talk) as port:
        error = await failure(f"http://127.0.0.1:{port}", http)

    assert error.kind == "malformed"
    assert str(error) == (
        "the answer is compressed in an unknown way: 'br'\n"
        f"  where: http://127.0.0.1:{port}\n"
        "  try:   the server may use gzip, deflate, or nothing"
    )
