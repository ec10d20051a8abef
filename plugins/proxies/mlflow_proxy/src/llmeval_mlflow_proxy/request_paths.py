"""The path of a request below its prefix, and the prefix as the browser has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from llmeval_mlflow_proxy.proxied_headers import first

_PLAIN_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_PLAIN_REST = re.compile(rb"[!-\"$-~]*")
_MOST_ENCODINGS = 5


def rest_of_path(scope: Mapping[str, Any]) -> str:
    """Return what follows the prefix, byte for byte as the client sent it; "" if nothing does.

    Any: an ASGI scope has no static type.
    """
    prefix = str(scope.get("root_path", ""))
    raw = scope.get("raw_path")
    rest = _after(raw, prefix.encode()) if raw else None
    if rest is None:
        rest = quote(str(scope["path"]).removeprefix(prefix)).encode()
    if _PLAIN_REST.fullmatch(rest):
        return rest.decode("ascii")
    # A fragment is never sent; what looks like one is part of the path.
    return quote(rest, safe="".join(map(chr, range(0x21, 0x7F)))).replace("#", "%23")


def _after(raw: bytes, prefix: bytes) -> bytes | None:
    """Cut a decoded prefix off an encoded path; None if the path does not begin with it."""
    at = 0
    for wanted in prefix:
        n_bytes = 3 if raw[at : at + 1] == b"%" else 1
        piece = raw[at : at + n_bytes]
        try:
            byte = int(piece[1:], 16) if n_bytes == 3 else piece[0]
        except (ValueError, IndexError):
            return None
        if byte != wanted:
            return None
        at += n_bytes
    return raw[at:]


def outer_prefix(scope: Mapping[str, Any]) -> str:
    """Return the prefix as the browser has it, also behind a server that cut off a part of it.

    Any: an ASGI scope has no static type.
    """
    prefix = str(scope.get("root_path", ""))
    claimed = (first(scope["headers"], b"x-forwarded-prefix") or "").rstrip("/")
    # It is used only in responses to the client that sent it.
    if _PLAIN_PREFIX.fullmatch(claimed) and not f"{prefix}/".startswith(f"{claimed}/"):
        return claimed + prefix
    return prefix


def decoded_path(rest: str) -> str | None:
    """Undo encodings, double slashes and capitals; None if the path leaves its prefix.

    Only for decisions: the raw path is forwarded.
    """
    path = rest
    for _ in range(_MOST_ENCODINGS):
        decoded = unquote(path)
        if decoded == path:
            break
        path = decoded
    else:
        return None
    path = re.sub(r"[/\\]+", "/", path)
    return None if {".", ".."} & set(path.split("/")) else path.lower()
