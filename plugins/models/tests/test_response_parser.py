"""Answers as servers write them, whole and in pieces."""

from __future__ import annotations

import gzip

import pytest
from llmeval_models.http.transports.response_parser import ResponseParser
from llmeval_models.http.transports.transport import TransportError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
ZIPPED = gzip.compress(b"hello")
WHOLE = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
    "said twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": CHUNKED + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"5 \r\nhello\r\n000\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
    "after 100 and 103": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "folded": b"HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length:\r\n\t5\r\n\r\nhello",
    "lines ended by LF": b"\nHTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "chunks ended by LF": b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
    % (len(ZIPPED), ZIPPED),
}


@pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in WHOLE.items()])
def test_wherever_an_answer_is_cut_it_is_the_same(said: bytes) -> None:
    for cut in range(1, len(said)):
        parser = ResponseParser()

        assert not parser.feed(said[:cut])
        assert parser.feed(said[cut:])

        assert parser.response().content == b"hello"
        assert parser.keeps_alive


@pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in WHOLE.items()])
def test_byte_by_byte(said: bytes) -> None:
    parser = ResponseParser()

    whole = [parser.feed(said[at : at + 1]) for at in range(len(said))]

    assert whole == [False] * (len(said) - 1) + [True]
    assert parser.response().content == b"hello"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0",
        b"HTTP/1.1 204 No Content\r\nConnection: Close",
    ],
)
def test_a_server_that_closes_is_believed(head: bytes) -> None:
    parser = ResponseParser()

    assert parser.feed(head + b"\r\n\r\n")

    assert not parser.keeps_alive


@pytest.mark.parametrize("said", [WHOLE["length"] + b"HTTP/1.1 200 OK\r\n", WHOLE["chunks"] + b"x"])
def test_after_more_than_was_asked_for_the_connection_is_not_used(said: bytes) -> None:
    parser = ResponseParser()

    assert parser.feed(said)

    assert parser.response().content == b"hello"
    assert not parser.keeps_alive


def test_without_a_length_the_end_of_the_connection_is_the_end() -> None:
    parser = ResponseParser()

    assert not parser.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    assert not parser.feed(b"lo")

    assert parser.ends_by_closing()
    assert parser.response().content == b"hello"


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKED + b"5\r\nhelloworld\r\n",
        CHUNKED + b"-1\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 60_000,
    ],
)
def test_nonsense_is_told_at_once(said: bytes) -> None:
    with pytest.raises(TransportError):
        ResponseParser().feed(said)


def test_an_unknown_compression_is_told() -> None:
    parser = ResponseParser()
    parser.feed(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx")

    with pytest.raises(TransportError, match="compressed in an unknown way: 'br'"):
        parser.response()
