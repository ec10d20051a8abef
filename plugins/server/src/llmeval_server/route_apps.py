"""Routes of plugins: each an ASGI application whose lifespan runs with the server's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_core.hooks import Route, RouteContext
from llmeval_server.http_error import HttpError
from llmeval_server.route_classifier import RouteClassifier

_log = logging.getLogger("llmeval")
_SHUTDOWN_S = 5.0
_CANCEL_S = 0.5
_RETRY_AFTER_S = "2"

RouteState = Literal["starting", "ready", "broken"]


class RouteApp:
    """One plugin's route, mounted at its prefix.

    Its application runs its own lifespan in a task. States: *starting* until the application says
    that it has started, then *ready*; *broken* if its factory or its start-up failed. A route
    that is not ready answers with 503, and affects no other.

    Args:
        route: the plugin's route.
        context: what the plugin gets from this server.
    """

    def __init__(self, route: Route, context: RouteContext) -> None:
        self.route = route
        self.state: RouteState = "starting"
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._has_lifespan = False
        self._lifespan_state: dict[str, Any] = {}  # Any: the application's own, as ASGI has it
        self._lifespan: asyncio.Task[None] | None = None
        self._app: ASGIApp | None = None
        try:
            self._app = route.app(context)
        except Exception as err:  # noqa: BLE001  the border: a plugin can raise anything
            self._break(err)

    def start(self) -> None:
        """Start the application; returns at once."""
        if self._app is not None:
            self._inbox.put_nowait({"type": "lifespan.startup"})
            self._lifespan = asyncio.create_task(self._run_lifespan(self._app))

    async def stop(self) -> None:
        """Let the application shut down; one that hangs is cancelled and left behind."""
        if self._lifespan is None:
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        done, _ = await asyncio.wait({self._lifespan}, timeout=_SHUTDOWN_S)
        if not done:
            _log.warning("route %s did not end within %g s", self.route.prefix, _SHUTDOWN_S)
            self._lifespan.cancel()
            await asyncio.wait({self._lifespan}, timeout=_CANCEL_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to the prefix or below it."""
        title = self.route.title or self.route.prefix
        if self.state == "broken" or self._app is None:
            raise HttpError(503, f"{title} could not be started", hint="the server's log says why")
        if self.state == "starting":
            raise HttpError(
                503,
                f"{title} is starting",
                hint="try again in a moment",
                headers={"Retry-After": _RETRY_AFTER_S},
            )
        root_path = scope.get("root_path", "") + self.route.prefix
        inner = {**scope, "root_path": root_path, "state": dict(self._lifespan_state)}
        await self._app(inner, receive, send)

    async def _run_lifespan(self, app: ASGIApp) -> None:
        """Run the application's lifespan; one that has none is ready at once."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._lifespan_state,
        }
        try:
            await app(scope, self._receive, self._send)
        except Exception as err:  # noqa: BLE001  the border: a plugin can raise anything
            if not self._has_lifespan:  # ASGI: an application without a lifespan raises at once
                self.state = "ready"
            elif self.state == "starting":
                self._break(err)
            elif self.state == "ready":
                _log.warning("route %s ended badly: %s", self.route.prefix, err)
        else:
            self.state = "ready" if self.state == "starting" else self.state

    async def _receive(self) -> Message:
        self._has_lifespan = True
        return await self._inbox.get()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self.state = "ready"
        elif kind == "lifespan.startup.failed":
            self._break(message.get("message") or "it said no more")
        elif kind == "lifespan.shutdown.failed":
            _log.warning("route %s ended badly: %s", self.route.prefix, message.get("message"))

    def _break(self, reason: object) -> None:
        self.state = "broken"
        kind = f"{type(reason).__name__}: " if isinstance(reason, Exception) else ""
        _log.error("route %s could not be started: %s%s", self.route.prefix, kind, reason)


class RouteApps:
    """All routes of plugins, and our own application for every other path.

    Args:
        app: our own application.
        routes: the plugins' routes; of two with the same prefix, the first one is used.
        context: what they get from this server.
        classifier: finds the route of a request.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Iterable[Route],
        *,
        context: RouteContext,
        classifier: RouteClassifier,
    ) -> None:
        self._app = app
        self._classifier = classifier
        self._apps: dict[str, RouteApp] = {}
        for route in routes:
            self._apps.setdefault(route.prefix, RouteApp(route, context))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start all at the same time without waiting for them; stop all at the end."""
        for app in self._apps.values():
            app.start()
        try:
            yield
        finally:
            await asyncio.gather(*(app.stop() for app in self._apps.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        prefix = self._classifier.plugin_prefix(scope) if scope["type"] == "http" else None
        app = self._app if prefix is None else self._apps[prefix]
        await app(scope, receive, send)
