"""Rate limits: requests and wrong tokens of one client in a minute."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.http_error import HttpError
from llmeval_server.route_classifier import RouteClassifier
from llmeval_server.security.client_address import client_address

_WINDOW_S = 60.0
_MAX_CLIENTS = 10_000


class WindowCounter:
    """Counts events of each client in fixed windows of a minute; forgets the oldest clients.

    Args:
        most: how many events a client may have in a window.
        now: the clock, seconds.
    """

    def __init__(self, most: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def add(self, client: str) -> None:
        """Count one event."""
        now = self._now()
        began, n = self._windows.get(client, (now, 0))
        if now - began >= _WINDOW_S:
            began, n = now, 0
        self._windows[client] = (began, n + 1)
        self._windows.move_to_end(client)
        if len(self._windows) > _MAX_CLIENTS:
            self._windows.popitem(last=False)

    def wait_s(self, client: str) -> int:
        """Return how many seconds the client must wait; 0 if it need not."""
        began, n = self._windows.get(client, (0.0, 0))
        left = _WINDOW_S - (self._now() - began)
        return math.ceil(left) if n >= self._most and left > 0 else 0


def too_many_requests(what: str, wait_s: int) -> HttpError:
    """Return the error for a client that must wait."""
    return HttpError(
        429,
        what,
        hint=f"try again in {wait_s} seconds",
        headers={"Retry-After": str(wait_s)},
    )


class RateLimitMiddleware:
    """Limits the requests of one client, except to plugin routes and static files.

    Args:
        app: the application behind.
        classifier: finds plugin routes and static files.
        per_minute: most requests of one client in a minute.
    """

    def __init__(self, app: ASGIApp, *, classifier: RouteClassifier, per_minute: int) -> None:
        self._app = app
        self._classifier = classifier
        self._counter = WindowCounter(per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not (
            self._classifier.plugin_prefix(scope) or self._classifier.is_static(scope)
        ):
            client = client_address(scope)
            wait_s = self._counter.wait_s(client)
            if wait_s:
                raise too_many_requests("too many requests", wait_s)
            self._counter.add(client)
        await self._app(scope, receive, send)
