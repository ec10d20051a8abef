"""Gzip for big texts that the upstream sends uncompressed, as MLflow does with its bundle."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Any

from llmeval_mlflow_proxy.proxied_headers import first

_SMALLEST = 1024
_LEVEL = 5
_TEXT = re.compile(
    r"(text/(?!event-stream)|application/(javascript|json|xml|manifest\+json|wasm)|image/svg\+xml)"
)

RawHeaders = list[tuple[bytes, bytes]]


def accepts_gzip(scope: Mapping[str, Any]) -> bool:
    """Whether the client accepts gzip; Any: an ASGI scope has no static type."""
    qualities = {}
    for item in (first(scope["headers"], b"accept-encoding") or "").split(","):
        coding, _, parameter = item.partition(";")
        name, _, value = parameter.partition("=")
        try:
            quality = float(value) if name.strip().lower() == "q" else 1.0
        except ValueError:
            quality = 0.0
        qualities[coding.strip().lower()] = quality
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


def is_compressible(status: int, headers: RawHeaders) -> bool:
    """Whether to compress a response; one of unknown length may be a stream and is not."""
    length = first(headers, b"content-length") or ""
    return (
        status == 200
        and length.isdigit()
        and int(length) >= _SMALLEST
        and first(headers, b"content-encoding") is None
        and "no-transform" not in (first(headers, b"cache-control") or "")
        and _TEXT.match(first(headers, b"content-type") or "") is not None
    )


def with_vary(headers: RawHeaders) -> RawHeaders:
    """Add the header that tells caches that the response depends on what the client accepts."""
    return [*headers, (b"vary", b"accept-encoding")]


def compressed(headers: RawHeaders) -> RawHeaders:
    """Return the headers of the compressed response, whose bytes are not the upstream's."""
    kept = []
    for name, value in headers:
        if name in (b"content-length", b"accept-ranges", b"content-md5"):
            continue
        kept.append((name, weak(value) if name == b"etag" else value))
    return [*kept, (b"content-encoding", b"gzip")]


def weak(etag: bytes) -> bytes:
    """Make an ETag weak: the content is the same, the bytes may differ."""
    return etag if etag.startswith(b"W/") else b"W/" + etag


class GzipStream:
    """Compresses piece by piece, in constant memory."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)

    def piece(self, chunk: bytes) -> bytes:
        """Compress a piece; return what is ready, which may be nothing."""
        return self._stream.compress(chunk)

    def end(self) -> bytes:
        """Return the rest."""
        return self._stream.flush()
