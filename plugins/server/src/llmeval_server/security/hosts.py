"""Allowed hosts: a foreign name that was made to point at us (DNS rebinding) gets nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.security.refusing import RefusedError


class AllowedHosts:
    """Lets requests through whose Host is ours.

    Ours are addresses in numbers (no name, so none that could be made to point at us),
    `localhost`, the name that we listen on, and those that were allowed; `*.example.com` allows
    every name below.

    Args:
        app: what is behind.
        host: the name or address that we listen on.
        allowed: more names.
    """

    def __init__(self, app: ASGIApp, *, host: str, allowed: Iterable[str]) -> None:
        self._app = app
        self._names = {"localhost", host.lower(), *(name.strip().lower() for name in allowed)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            hosts = Headers(scope=scope).getlist("host")
            if len(hosts) != 1:
                raise RefusedError(400, "a request needs one Host header")
            if not self._is_ours(hosts[0]):
                raise RefusedError(
                    403,
                    "this server is not known by the name in the Host header",
                    hint="allow the name with --allowed-host NAME or LLMEVAL_ALLOWED_HOSTS",
                )
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
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
