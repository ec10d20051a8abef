"""Counts requests by route and status."""

from __future__ import annotations

import time
from collections import Counter, defaultdict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_server.route_classifier import RouteClassifier

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "none"


class RequestCounts:
    """The number and the total duration of requests.

    Attributes:
        n_requests: by method, route and status.
        seconds: by route.
    """

    def __init__(self) -> None:
        self.n_requests: Counter[tuple[str, str, int]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, method: str, route: str, *, status: int, elapsed_s: float) -> None:
        """Count one request."""
        self.n_requests[method if method in _METHODS else "other", route, status] += 1
        self.seconds[route] += elapsed_s


class RequestCountMiddleware:
    """Counts the requests to the application by the patterns of their routes, which are few.

    Args:
        app: the application behind.
        counts: where requests are counted.
        classifier: finds plugin routes.
    """

    def __init__(self, app: ASGIApp, *, counts: RequestCounts, classifier: RouteClassifier) -> None:
        self._app = app
        self._counts = counts
        self._classifier = classifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        began = time.perf_counter()

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            self._counts.add(
                scope["method"],
                self._route(scope),
                status=status,
                elapsed_s=time.perf_counter() - began,
            )

    def _route(self, scope: Scope) -> str:
        prefix = self._classifier.plugin_prefix(scope)
        return prefix or getattr(scope.get("route"), "path", None) or _NO_ROUTE
