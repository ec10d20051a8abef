"""The ASGI lifespan protocol for an async context manager."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from llmeval_mlflow_proxy.request_body import Message, Receive

Send = Callable[[Message], Awaitable[None]]


async def serve_lifespan(
    receive: Receive, send: Send, running: AbstractAsyncContextManager[None]
) -> None:
    """Enter at start-up and leave at shutdown, and report success or failure to the server."""
    await receive()
    try:
        await running.__aenter__()
    except Exception as err:  # noqa: BLE001  the border: the server is told
        await send({"type": "lifespan.startup.failed", "message": f"{type(err).__name__}: {err}"})
        return
    await send({"type": "lifespan.startup.complete"})
    try:
        await receive()
    finally:
        await running.__aexit__(None, None, None)
    await send({"type": "lifespan.shutdown.complete"})
