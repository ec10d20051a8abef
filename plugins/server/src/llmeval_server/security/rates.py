"""How many requests a client may send, and how often it may be wrong about the token."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from llmeval_server.security.clients import client_of
from llmeval_server.security.places import Places
from llmeval_server.security.refusing import RefusedError

_WINDOW_S = 60.0
_MOST_CLIENTS = 10_000


class Counter:
    """Counts events of each client in windows of a minute; the oldest clients are forgotten.

    Args:
        most: events that a client may have in a window.
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
        if len(self._windows) > _MOST_CLIENTS:
            self._windows.popitem(last=False)

    def wait_s(self, client: str) -> int:
        """Tell for how many seconds the client must wait; 0 if it may go on."""
        began, n = self._windows.get(client, (0.0, 0))
        left = _WINDOW_S - (self._now() - began)
        return math.ceil(left) if n >= self._most and left > 0 else 0


def refuse_for_now(what: str, wait_s: int) -> RefusedError:
    """Make the error that tells a client to wait."""
    return RefusedError(
        429,
        what,
        hint=f"try again in {wait_s} seconds",
        headers={"Retry-After": str(wait_s)},
    )


class RateLimit:
    """Lets a client send so many requests a minute; plugin routes and static files are free.

    Args:
        app: what is behind.
        places: what is free.
        per_minute: most requests of one client.
    """

    def __init__(self, app: ASGIApp, *, places: Places, per_minute: int) -> None:
        self._app = app
        self._places = places
        self._counter = Counter(per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not (
            self._places.plugin_prefix(scope) or self._places.is_static(scope)
        ):
            client = client_of(scope)
            wait_s = self._counter.wait_s(client)
            if wait_s:
                raise refuse_for_now("too many requests", wait_s)
            self._counter.add(client)
        await self._app(scope, receive, send)
