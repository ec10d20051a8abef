"""Which headers are forwarded in each direction, and how they are changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llmeval_mlflow_proxy.upstream import Upstream

RawHeaders = Iterable[tuple[bytes, bytes]]

LOOP_HEADER = b"x-llmeval-proxy"
_OWN = "llmeval"
_HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
# The client's login and origin are for our server, which has checked them.
_NOT_FOR_UPSTREAM = _HOP_BY_HOP | {
    b"authorization",
    b"expect",
    b"forwarded",
    b"host",
    b"origin",
    b"referer",
    b"x-real-ip",
}
# The user could not answer a login prompt of the upstream; our server sets date and server.
_NOT_FOR_CLIENT = _HOP_BY_HOP | {b"date", b"server", b"www-authenticate"}


def first(headers: RawHeaders, name: bytes) -> str | None:
    """Return the first value of a header; None if it is not there."""
    return next((_text(value) for key, value in headers if key.lower() == name), None)


def with_length(headers: RawHeaders, n_bytes: int) -> list[tuple[bytes, bytes]]:
    """Return the headers of a request whose body was read and has this length."""
    kept = [
        (name, value)
        for name, value in headers
        if name not in (b"content-length", b"transfer-encoding")
    ]
    return [*kept, (b"content-length", str(n_bytes).encode())]


def request_headers(
    scope: Mapping[str, Any], upstream: Upstream, *, prefix: str
) -> list[tuple[str, str]]:
    """Return the headers that the upstream gets.

    `X-Forwarded-*` describes the peer that is connected; what the client sent in them is dropped.

    Any: an ASGI scope has no static type.
    """
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    named = _named_by_connection(headers)
    dropped = _NOT_FOR_UPSTREAM | named if named else _NOT_FOR_UPSTREAM
    is_chunked = any(name == b"transfer-encoding" for name, _ in headers)
    kept = []
    for name, value in headers:
        if name in dropped or name.startswith((b"x-forwarded-", b"x-llmeval-")):
            continue
        if name == b"content-length" and is_chunked:
            continue
        if name == b"cookie":
            value = _foreign_cookies(value)  # noqa: PLW2901  the same header, less what is ours
            if not value:
                continue
        kept.append((name.decode("ascii"), _text(value)))
    client = scope.get("client")
    kept += [
        ("host", upstream.host),
        ("x-forwarded-for", client[0] if client else "unknown"),
        ("x-forwarded-host", first(headers, b"host") or "unknown"),
        ("x-forwarded-proto", scope.get("scheme", "http")),
        ("x-forwarded-prefix", prefix),
        (LOOP_HEADER.decode(), prefix),
    ]
    if upstream.authorization:
        kept.append(("authorization", upstream.authorization))
    return kept


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """Rewrites the headers of an upstream's responses.

    Args:
        upstream: whose URLs are rewritten.
        prefix: what they are rewritten to: the prefix as the browser has it.
    """

    upstream: Upstream
    prefix: str

    def rewrite(self, headers: RawHeaders) -> list[tuple[bytes, bytes]]:
        """Return the headers that the client gets, in their order, none merged."""
        headers = [(name.lower(), value) for name, value in headers]
        dropped = _NOT_FOR_CLIENT | _named_by_connection(headers)
        changes: dict[bytes, Callable[[str], str | None]] = {
            b"location": self.location,
            b"content-location": self.location,
            b"set-cookie": self.cookie,
        }
        kept = []
        for name, value in headers:
            if name in dropped:
                continue
            if name in changes:
                changed = changes[name](_text(value))
                if changed is not None:
                    kept.append((name, changed.encode()))
            else:
                kept.append((name, value))
        return kept

    def location(self, value: str) -> str:
        """Rewrite an address of the upstream to ours; leave those of other servers."""
        upstream = urlsplit(self.upstream.url)
        try:
            target = urlsplit(value)
        except ValueError:
            return value
        if target.netloc:
            is_upstream = target.netloc in (upstream.netloc, self.upstream.host)
            if not is_upstream or target.scheme not in ("", "http", "https"):
                return value
        elif target.scheme or not target.path.startswith("/"):
            return value
        path = target.path
        if upstream.path and f"{path}/".startswith(f"{upstream.path}/"):
            path = path.removeprefix(upstream.path)
        return target._replace(scheme="", netloc="", path=self.prefix + (path or "/")).geturl()

    def cookie(self, value: str) -> str | None:
        """Limit a cookie to our prefix; None for one with the name of our server's own."""
        pair, *attributes = value.split(";")
        if pair.strip().lower().startswith(_OWN):
            return None
        path = ""
        kept = []
        for attribute in attributes:
            name, _, content = attribute.partition("=")
            match name.strip().lower():
                case "path":
                    path = content.strip()
                case "domain":  # the upstream's name means nothing to the browser
                    pass
                case _:
                    kept.append(attribute)
        scoped = self.location(path) if path.startswith("/") else self.prefix
        return ";".join([pair, f" Path={scoped}", *kept])


def _named_by_connection(headers: RawHeaders) -> set[bytes]:
    return {
        name.strip().lower()
        for key, value in headers
        if key.lower() == b"connection"
        for name in value.split(b",")
    }


def _foreign_cookies(value: bytes) -> bytes:
    """Remove our server's own cookies, above all its login."""
    pairs = (pair.strip() for pair in value.split(b";"))
    return b"; ".join(p for p in pairs if p and not p.lower().startswith(_OWN.encode()))


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
