"""Sends the upstream's response to the client, piece by piece."""

from __future__ import annotations

import aiohttp

from llmeval_mlflow_proxy import gzip_responses
from llmeval_mlflow_proxy.lifespan import Send
from llmeval_mlflow_proxy.proxied_headers import ResponseHeaders, first
from llmeval_mlflow_proxy.request_body import Scope

_BODILESS = frozenset((204, 304))


async def send_response(
    scope: Scope, send: Send, response: aiohttp.ClientResponse, rewriting: ResponseHeaders
) -> None:
    """Send headers and body, compressed where that helps.

    Raises:
        aiohttp.ClientError: the upstream closed the connection; the response is then unfinished.
    """
    headers = rewriting.rewrite(response.raw_headers)
    gzip = None
    if gzip_responses.is_compressible(response.status, headers):
        headers = gzip_responses.with_vary(headers)
        if scope["method"] == "GET" and gzip_responses.accepts_gzip(scope):
            headers = gzip_responses.compressed(headers)
            gzip = gzip_responses.GzipStream()
    elif response.status == 304 and "W/" in (first(scope["headers"], b"if-none-match") or ""):
        headers = [
            (name, gzip_responses.weak(value) if name == b"etag" else value)
            for name, value in headers
        ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if scope["method"] == "HEAD" or response.status in _BODILESS:
        await send({"type": "http.response.body"})
        return
    n_left = response.content_length  # None if the length is unknown
    async for chunk in response.content.iter_any():
        piece = gzip.piece(chunk) if gzip else chunk
        if n_left is not None:
            n_left -= len(chunk)
        is_last = gzip is None and n_left == 0
        if piece:
            await send({"type": "http.response.body", "body": piece, "more_body": not is_last})
        if is_last:
            return
    await send({"type": "http.response.body", "body": gzip.end() if gzip else b""})


async def redirect_to_slash(scope: Scope, send: Send) -> None:
    """Redirect from the bare prefix; the target is relative, so it is right behind any proxy."""
    target = scope["path"].rpartition("/")[2] + "/"
    query = scope["query_string"]
    location = target.encode() + (b"?" + query if query else b"")
    headers = [(b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": headers})
    await send({"type": "http.response.body"})
