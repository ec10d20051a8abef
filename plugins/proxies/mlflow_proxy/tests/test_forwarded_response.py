"""Answers without a body, and gzip for big texts."""

from __future__ import annotations

import gzip

import pytest

from plugins.proxies.mlflow_proxy.tests.conftest import Proxying
from plugins.proxies.mlflow_proxy.tests.raw_upstream import plain

BUNDLE = b"function bundle() { return 'MLflow'; }\n" * 3000
JAVASCRIPT = 'Content-Type: application/javascript\nETag: "abc"\nAccept-Ranges: bytes'
GZIP = {"Accept-Encoding": "br;q=1, gzip;q=0.5"}


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_answers_without_a_body_pass(proxying: Proxying, status: str) -> None:
    async with proxying(plain('ETag: "abc"', status=status)) as proxied:
        for _ in range(2):  # the connection is still usable afterwards
            answer = await proxied.ask("GET", "/x")

            assert (answer.status, answer.body) == (int(status[:3]), b"")
            assert answer.headers["ETag"] == '"abc"'


async def test_head_has_the_length_but_no_body(proxying: Proxying) -> None:
    async with proxying(plain(JAVASCRIPT, BUNDLE)) as proxied:
        answer = await proxied.ask("HEAD", "/main.js", headers=GZIP)

        assert answer.headers["Content-Length"] == str(len(BUNDLE))
        assert answer.headers["ETag"] == '"abc"'
        assert answer.body == b""


async def test_a_big_text_is_compressed_for_who_takes_it(proxying: Proxying) -> None:
    async with proxying(plain(JAVASCRIPT, BUNDLE)) as proxied:
        answer = await proxied.ask("GET", "/main.js", headers=GZIP)
        body = answer.body

        assert gzip.decompress(body) == BUNDLE
        assert len(body) < len(BUNDLE) / 10
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"] == 'W/"abc"'
        assert answer.headers["Vary"] == "accept-encoding"
        assert "Accept-Ranges" not in answer.headers


@pytest.mark.parametrize("accepts", ["identity", "gzip;q=0", "br", "*;q=0", "gzip;q=x"])
async def test_who_does_not_take_gzip_gets_the_original(proxying: Proxying, accepts: str) -> None:
    async with proxying(plain(JAVASCRIPT, BUNDLE)) as proxied:
        answer = await proxied.ask("GET", "/main.js", headers={"Accept-Encoding": accepts})

        assert answer.body == BUNDLE
        assert answer.headers["Content-Length"] == str(len(BUNDLE))
        assert answer.headers["ETag"] == '"abc"'
        assert answer.headers["Vary"] == "accept-encoding"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Content-Type: image/png", "200 OK"),
        ("Content-Type: text/event-stream", "200 OK"),
        ("Content-Type: text/css\nContent-Encoding: br", "200 OK"),
        ("Content-Type: text/css\nCache-Control: no-transform", "200 OK"),
        ("Content-Type: text/css\nContent-Range: bytes 0-9/100", "206 Partial Content"),
    ],
)
async def test_what_would_not_gain_is_left_alone(
    proxying: Proxying, headers: str, status: str
) -> None:
    async with proxying(plain(headers, BUNDLE, status)) as proxied:
        answer = await proxied.ask("GET", "/x", headers=GZIP)

        assert answer.body == BUNDLE
        assert answer.headers.get("Content-Encoding") != "gzip"


async def test_a_weak_tag_is_confirmed_as_a_weak_tag(proxying: Proxying) -> None:
    async with proxying(plain('ETag: "abc"', status="304 Not Modified")) as proxied:
        answer = await proxied.ask("GET", "/main.js", headers={"If-None-Match": 'W/"abc"'})

        assert proxied.upstream.last.values("if-none-match") == ['W/"abc"']
        assert (answer.status, answer.headers["ETag"]) == (304, 'W/"abc"')
