"""An MLflow that says what a test wants: the faults that a real one has only elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def replying(text: str = "{}", *, status: int = 200, **headers: str) -> Handler:
    """Make a handler that always says the same."""

    async def reply(request: web.Request) -> web.Response:
        del request
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=text, status=status, headers=named)

    return reply


@contextlib.asynccontextmanager
async def fake_mlflow(handlers: Mapping[str, Handler], *, delay_s: float = 0) -> AsyncIterator[str]:
    """Serve handlers by path; other paths say `3.17.2` or `{}`. Give the URL.

    Args:
        handlers: by path.
        delay_s: how long an answer on a connection that is kept takes.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        if delay_s and request.headers.get("Connection") != "close":
            await asyncio.sleep(delay_s)
        default = replying("3.17.2" if request.path == "/version" else "{}")
        return await handlers.get(request.path, default)(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
