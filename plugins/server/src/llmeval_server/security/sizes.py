"""How large a request may be."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_server.security.places import Places
from llmeval_server.security.refusing import RefusedError


class SizeLimit:
    """Reads the body before the application does, and refuses one that is too large.

    What goes to plugin routes is streamed and as large as it likes.

    Args:
        app: what is behind.
        places: which requests are for plugin routes.
        max_bytes: the largest body.
    """

    def __init__(self, app: ASGIApp, *, places: Places, max_bytes: int) -> None:
        self._app = app
        self._places = places
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._places.plugin_prefix(scope):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise self._too_large()
        body = await self._read(receive)
        told = False

        async def replay() -> Message:
            nonlocal told
            if told:
                return await receive()
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError(400, "the client left before its request was complete")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> RefusedError:
        return RefusedError(
            413,
            f"the request is larger than {self._max_bytes:,} bytes",
            hint="LLMEVAL_MAX_REQUEST_BYTES allows more",
        )
