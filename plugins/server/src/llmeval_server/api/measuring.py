"""Counting requests by route and status."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_server.security.places import Places

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "none"


class RequestCounts:
    """How many requests each route answered, with what status, and how long that took."""

    def __init__(self) -> None:
        self.n_requests: Counter[tuple[str, str, int]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, method: str, route: str, *, status: int, elapsed_s: float) -> None:
        """Count one request."""
        self.n_requests[method if method in _METHODS else "other", route, status] += 1
        self.seconds[route] += elapsed_s


class Measured:
    """Counts what passes; routes are counted by their patterns, so that their number is small.

    Args:
        app: what is behind.
        counts: where it is counted.
        places: which requests are for plugin routes.
    """

    def __init__(self, app: ASGIApp, *, counts: RequestCounts, places: Places) -> None:
        self._app = app
        self._counts = counts
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._counts.add(
                scope["method"],
                self._route(scope),
                status=status,
                elapsed_s=time.perf_counter() - began,
            )

    def _route(self, scope: Scope) -> str:
        prefix = self._places.plugin_prefix(scope)
        return prefix or getattr(scope.get("route"), "path", None) or _NO_ROUTE
