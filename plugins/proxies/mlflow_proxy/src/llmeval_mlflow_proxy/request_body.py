"""A client's request body, piece by piece, and noticing that the client has disconnected."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]  # Any: ASGI messages have no static type
Scope = Mapping[str, Any]  # Any: neither have ASGI scopes
Receive = Callable[[], Awaitable[Message]]

_WATCH_AFTER_S = 0.05
"""Most requests are over by then; only longer ones need a task that waits for a disconnect."""


class ClientDisconnectedError(Exception):
    """The client disconnected before it had sent the whole body."""


class BodyTooLargeError(Exception):
    """A body is larger than what is read before it is forwarded."""


class RequestBody:
    """The body of one request; it is kept only if `read` is called."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        names = dict(scope["headers"])
        self.is_empty = b"transfer-encoding" not in names and names.get(
            b"content-length", b"0"
        ).strip() in (b"0", b"")
        self._receive = receive
        self._ended = asyncio.Event()
        self._whole: bytes | None = None

    async def read(self, most_bytes: int) -> bytes:
        """Read all of it.

        Raises:
            ClientDisconnectedError: the client disconnected.
            BodyTooLargeError: it is larger.
        """
        pieces: list[bytes] = []
        n_bytes = 0
        async for piece in self.pieces(lambda: None):
            n_bytes += len(piece)
            if n_bytes > most_bytes:
                raise BodyTooLargeError
            pieces.append(piece)
        return b"".join(pieces)

    def replace(self, whole: bytes) -> None:
        """Let `pieces` yield this instead, after the body was read."""
        self._whole = whole

    async def pieces(self, on_piece: Callable[[], None]) -> AsyncIterator[bytes]:
        """Yield the body as it comes in; `on_piece` is called before each piece.

        Raises:
            ClientDisconnectedError: the client disconnected.
        """
        if self._whole is not None:
            on_piece()
            yield self._whole
            return
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._ended.set()
                raise ClientDisconnectedError
            on_piece()
            if piece := message.get("body", b""):
                yield piece
            if not message.get("more_body", False):
                self._ended.set()
                return

    async def wait_for_disconnect(self) -> None:
        """Return once the client has disconnected; only one task may wait."""
        if not self.is_empty:
            await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


@contextlib.asynccontextmanager
async def cancelled_on_disconnect(body: RequestBody) -> AsyncIterator[None]:
    """Cancel the block when the client disconnects, and with it the upstream's work."""
    task = asyncio.current_task()
    assert task is not None
    watching: asyncio.Task[None] | None = None

    def cancel(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled():
            task.cancel()

    def watch() -> None:
        nonlocal watching
        watching = asyncio.create_task(body.wait_for_disconnect())
        watching.add_done_callback(cancel)

    timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_S, watch)
    try:
        yield
    except asyncio.CancelledError:
        if watching is None or not watching.done():  # it was not the client: the server itself ends
            raise
        task.uncancel()
    finally:
        timer.cancel()
        if watching is not None:
            watching.remove_done_callback(cancel)
            watching.cancel()
