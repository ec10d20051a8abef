"""The limit on the size of a request's body."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmeval_server.http_error import HttpError
from llmeval_server.route_classifier import RouteClassifier


class BodyLimitMiddleware:
    """Reads the whole body before the application does, and refuses one that is too large.

    Requests to plugin routes are passed on as streams without a limit.

    Args:
        app: the application behind.
        classifier: finds plugin routes.
        max_bytes: size of the largest body.
    """

    def __init__(self, app: ASGIApp, *, classifier: RouteClassifier, max_bytes: int) -> None:
        self._app = app
        self._classifier = classifier
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or self._classifier.plugin_prefix(scope):
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise self._too_large()
        body = await self._read(receive)
        is_replayed = False

        async def replay() -> Message:
            nonlocal is_replayed
            if is_replayed:
                return await receive()
            is_replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise HttpError(400, "the client left before its request was complete")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(parts)

    def _too_large(self) -> HttpError:
        return HttpError(
            413,
            f"the request is larger than {self._max_bytes:,} bytes",
            hint="LLMEVAL_MAX_REQUEST_BYTES allows more",
        )
