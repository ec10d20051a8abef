"""Routes of plugins: each an ASGI application whose life begins and ends with ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_core.hooks import Route, RouteContext
from llmeval_server.security.places import Places
from llmeval_server.security.refusing import RefusedError

_log = logging.getLogger("llmeval")
_END_S = 5.0
_CANCEL_S = 0.5
_ASK_AGAIN_S = "2"

State = Literal["starting", "ready", "broken"]


class RouteApp:
    """One plugin's route; one that is broken answers with 503 and harms nobody else.

    Args:
        route: what the plugin offers.
        site: what it is told about us.
    """

    def __init__(self, route: Route, site: RouteContext) -> None:
        self.route = route
        self.state: State = "starting"
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._has_lifespan = False
        self._settled = asyncio.Event()
        self._shared: dict[str, Any] = {}  # Any: the application's own, see ASGI's lifespan state
        self._life: asyncio.Task[None] | None = None
        self._app: ASGIApp | None = None
        try:
            self._app = route.app(site)
        except Exception as err:  # noqa: BLE001  the border: a plugin can raise anything
            self._break(err)

    def begin(self) -> None:
        """Start the application; returns at once."""
        if self._app is not None:
            self._inbox.put_nowait({"type": "lifespan.startup"})
            self._life = asyncio.create_task(self._live(self._app))

    async def end(self) -> None:
        """Let the application end what it started; one that hangs is left behind."""
        if self._life is None:
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        done, _ = await asyncio.wait({self._life}, timeout=_END_S)
        if not done:
            _log.warning("route %s did not end within %g s", self.route.prefix, _END_S)
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=_CANCEL_S)

    async def settled(self) -> None:
        """Return when the application is ready or broken."""
        if self._app is not None:
            await self._settled.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below the prefix, or to the prefix itself."""
        title = self.route.title or self.route.prefix
        if self.state == "broken" or self._app is None:
            raise RefusedError(
                503, f"{title} could not be started", hint="the server's log says why"
            )
        if self.state == "starting":
            raise RefusedError(
                503,
                f"{title} is starting",
                hint="try again in a moment",
                headers={"Retry-After": _ASK_AGAIN_S},
            )
        root_path = scope.get("root_path", "") + self.route.prefix
        inner = {**scope, "root_path": root_path, "state": dict(self._shared)}
        await self._app(inner, receive, send)

    async def _live(self, app: ASGIApp) -> None:
        """Run the application's lifespan; one without a lifespan is ready at once."""
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._shared,
        }
        try:
            await app(scope, self._receive, self._hear)
        except Exception as err:  # noqa: BLE001  the border: a plugin can raise anything
            if self._has_lifespan:
                self._break(err)
            else:  # ASGI: an application that knows no lifespan raises when it is asked for one
                self.state = "ready"
        else:
            self.state = "ready" if self.state == "starting" else self.state
        finally:
            self._settled.set()

    async def _receive(self) -> Message:
        self._has_lifespan = True
        return await self._inbox.get()

    async def _hear(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self.state = "ready"
            self._settled.set()
        elif kind == "lifespan.startup.failed":
            self._break(message.get("message") or "it said no more")
            self._settled.set()
        elif kind == "lifespan.shutdown.failed":
            _log.warning("route %s ended badly: %s", self.route.prefix, message.get("message"))

    def _break(self, reason: object) -> None:
        self.state = "broken"
        kind = f"{type(reason).__name__}: " if isinstance(reason, Exception) else ""
        _log.error("route %s could not be started: %s%s", self.route.prefix, kind, reason)


class RouteApps:
    """All routes of plugins, in front of what is ours.

    Args:
        app: what is ours.
        routes: what plugins offer; of two with one prefix, the first counts.
        site: what they are told.
        places: which request is for which.
    """

    def __init__(
        self, app: ASGIApp, routes: Iterable[Route], *, site: RouteContext, places: Places
    ) -> None:
        self._app = app
        self._places = places
        self._apps: dict[str, RouteApp] = {}
        for route in routes:
            self._apps.setdefault(route.prefix, RouteApp(route, site))

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """Start all at the same time and wait for none; end all at the end."""
        for app in self._apps.values():
            app.begin()
        try:
            yield
        finally:
            await asyncio.gather(*(app.end() for app in self._apps.values()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        prefix = self._places.plugin_prefix(scope) if scope["type"] == "http" else None
        app = self._app if prefix is None else self._apps[prefix]
        await app(scope, receive, send)
