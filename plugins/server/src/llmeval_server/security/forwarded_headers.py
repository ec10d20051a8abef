"""X-Forwarded-* headers, taken from trusted reverse proxies only."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_core.hooks import ConfigError

_HEADERS = (b"x-forwarded-", b"x-real-ip", b"forwarded")
_PREFIX = re.compile(r"(/[\w.~-]+)*")
_HOST = re.compile(r"[\w.:\[\]-]+")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ForwardedHeadersMiddleware:
    """Sets client, scheme, host and root path of the scope, and removes the headers.

    The application behind can rely on the scope, and sees no X-Forwarded-* header that a client
    may have made up.

    Args:
        app: the application behind.
        proxies: addresses or networks of the trusted proxies.
        root_path: the path at which a proxy serves us, whether it strips that path or not.

    Raises:
        ConfigError: an address is not valid.
    """

    def __init__(self, app: ASGIApp, *, proxies: Iterable[str], root_path: str) -> None:
        self._app = app
        self._networks = tuple(_network(proxy) for proxy in proxies)
        self._root_path = root_path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":  # no route of ours uses it, so none may pass the checks
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name.startswith(_HEADERS)
        }
        scope = {
            **scope,
            "headers": [pair for pair in scope["headers"] if not pair[0].startswith(_HEADERS)],
        }
        root_path = self._root_path
        peer = scope.get("client")
        if given and peer and self._is_trusted(peer[0]):
            root_path = self._apply(scope, given)
        _set_root(scope, root_path)
        await self._app(scope, receive, send)

    def _apply(self, scope: Scope, given: dict[str, str]) -> str:
        """Apply the headers of a trusted proxy to the scope, and return the root path."""
        addresses = [part.strip() for part in given.get("x-forwarded-for", "").split(",")]
        addresses = [address for address in addresses if address]
        if addresses:
            untrusted = [address for address in addresses if not self._is_trusted(address)]
            scope["client"] = ((untrusted or addresses[:1])[-1], 0)
        if _last(given, "x-forwarded-proto") in ("http", "https"):
            scope["scheme"] = _last(given, "x-forwarded-proto")
        host = _last(given, "x-forwarded-host")
        if _HOST.fullmatch(host):
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]
        prefix = _last(given, "x-forwarded-prefix").rstrip("/")
        return prefix if prefix and _PREFIX.fullmatch(prefix) else self._root_path

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _set_root(scope: Scope, root_path: str) -> None:
    """Make path and raw path begin with the root path, as ASGI demands."""
    scope["root_path"] = root_path
    path = scope["path"]
    if root_path and path != root_path and not path.startswith(f"{root_path}/"):
        scope["path"] = root_path + path
        if scope.get("raw_path") is not None:
            scope["raw_path"] = root_path.encode("latin-1") + scope["raw_path"]


def _last(given: dict[str, str], name: str) -> str:
    return given.get(name, "").rpartition(",")[2].strip()


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as err:
        raise ConfigError(
            f"'{text}' is no address of a reverse proxy",
            where="trusted_proxies",
            hint="write an address or a network, such as 10.0.0.2 or 172.16.0.0/12",
        ) from err
