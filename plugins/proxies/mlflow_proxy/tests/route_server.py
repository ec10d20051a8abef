"""A real uvicorn for an ASGI application, and a server that mounts routes as llmeval's does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from llmeval_core.hooks import Route, RouteContext

MAX_WAIT_S = 300.0  # a slow, loaded machine takes a minute to start MLflow


@contextlib.contextmanager
def serve(app: Any, *, root_path: str = "", bind: str = "127.0.0.1") -> Iterator[str]:
    """Serve an ASGI application in a thread; give its URL. Any: ASGI has no static type."""
    config = uvicorn.Config(
        app, log_level="warning", root_path=root_path, ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    # With the protocol named, asyncio turns off Nagle, which would cost 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((bind, 0))
    port = listening.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    deadline = time.monotonic() + MAX_WAIT_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(MAX_WAIT_S)
        listening.close()


def route_context(home: Path, **functions: Any) -> RouteContext:
    """Make a site that has nothing but a folder; Any: its functions."""
    empty: dict[str, Any] = {
        "tracker_statuses": list,
        "deliver": lambda tracker: f"{tracker}: nothing to deliver",
        "deliver_again": lambda tracker: f"{tracker}: nothing to deliver again",
        "log_lines": lambda word: [],
    }
    return RouteContext(home, **{**empty, **functions})


def mount(routes: Iterable[Route], site: RouteContext) -> Starlette:
    """Mount routes under their prefixes, and run their lifespans with the server's own."""
    apps = {route.prefix: route.app(site) for route in routes}

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for app in apps.values():
                await stack.enter_async_context(running(app))
            yield

    return Starlette(routes=[Mount(prefix, app) for prefix, app in apps.items()], lifespan=lifespan)


def mount_one(prefix: str, app: Any, site: RouteContext) -> Starlette:
    """Mount one application; Any: ASGI has no static type."""
    return mount([Route(prefix, lambda _: app, "")], site)


@contextlib.asynccontextmanager
async def running(app: Any) -> AsyncIterator[None]:
    """Run an application's lifespan; Any: ASGI has no static type."""
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, asked.get, said.put))
    await asked.put({"type": "lifespan.startup"})
    assert await said.get() == {"type": "lifespan.startup.complete"}
    try:
        yield
    finally:
        await asked.put({"type": "lifespan.shutdown"})
        await task
    assert await said.get() == {"type": "lifespan.shutdown.complete"}
