"""The Host header: only our own names are accepted, against DNS rebinding."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.http_error import HttpError


class AllowedHostsMiddleware:
    """Lets only requests with an allowed Host header through.

    Allowed are IP addresses (they are no names, so DNS rebinding cannot use them), `localhost`,
    the name that the server listens on, and the names in `allowed`; `*.example.com` allows every
    name below it.

    Args:
        app: the application behind.
        host: the name or address that the server listens on.
        allowed: additional names.
    """

    def __init__(self, app: ASGIApp, *, host: str, allowed: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", host.lower(), *(name.strip().lower() for name in allowed)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1:
                raise HttpError(400, "a request needs one Host header")
            if not self._is_allowed(hosts[0]):
                raise HttpError(
                    403,
                    "this server is not known by the name in the Host header",
                    hint="allow the name with --allowed-host NAME or LLMEVAL_ALLOWED_HOSTS",
                )
        await self._app(scope, receive, send)

    def _is_allowed(self, host: str) -> bool:
        name = _without_port(host.lower())
        if name in self._names or _is_address(name.strip("[]")):
            return True
        return any(
            allowed.startswith("*.") and name.endswith(allowed[1:]) for allowed in self._names
        )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
