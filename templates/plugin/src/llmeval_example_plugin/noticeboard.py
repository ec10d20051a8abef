"""A page for the server: what each tracker has and still lacks, as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from llmeval_core.hooks import Route, RouteContext, hookimpl

Send = Callable[[Mapping[str, Any]], Awaitable[None]]  # Any: ASGI messages


class Noticeboard:
    """An ASGI application; the server has checked host, token and origin before it is called."""

    def __init__(self, context: RouteContext) -> None:
        self._context = context

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:
        """Answer one request; Any: as ASGI has it."""
        if scope["type"] != "http":
            return
        statuses = await asyncio.to_thread(
            self._context.tracker_statuses
        )  # reads the journal: it blocks
        board = {
            one.tracker: {"has": one.n_delivered, "lacks": one.n_undelivered} for one in statuses
        }
        body = json.dumps(board, ensure_ascii=False, indent=2).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@hookimpl
def llmeval_register_routes() -> Iterable[Route]:
    """Offer the page."""
    yield Route("/noticeboard", Noticeboard, "what trackers have and lack")
