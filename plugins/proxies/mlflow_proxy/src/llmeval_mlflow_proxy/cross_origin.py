"""Whether a request that changes something comes from our own pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from llmeval_mlflow_proxy.proxied_headers import first

_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
_PORTS = {"http": 80, "https": 443}


def foreign_origin(scope: Mapping[str, Any], allowed: Collection[str]) -> str | None:
    """Return the foreign origin of an unsafe request; None if the request is allowed.

    A browser always sends the origin of an unsafe request. Other programs do not, and have no login
    that a foreign page could abuse.

    Any: an ASGI scope has no static type.
    """
    if scope["method"] in _SAFE_METHODS:
        return None
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    host = first(headers, b"host") or ""
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    for origin in origins:
        if origin not in allowed and not _is_same(origin, host):
            return origin
    if not origins and first(headers, b"sec-fetch-site") not in (None, "same-origin", "none"):
        return "unknown"
    return None


def _is_same(origin: str, host: str) -> bool:
    # The scheme is not compared: behind a server that ends TLS we see http, the browser https.
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{host}")
        port = _PORTS.get(theirs.scheme)
        if port is None or theirs.hostname is None:
            return False
        return (theirs.hostname, theirs.port or port) == (ours.hostname, ours.port or port)
    except ValueError:
        return False
