"""A client's request body, piece by piece, and the moment when the client is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]  # Any: ASGI messages have no static type
Scope = Mapping[str, Any]  # Any: neither have ASGI scopes
Receive = Callable[[], Awaitable[Message]]

_LOOK_AFTER_S = 0.05
"""Most requests are over by then, and need no task that waits for their client to leave."""


class ClientGoneError(Exception):
    """The client went away before it had sent everything."""


class TooLargeError(Exception):
    """A body is larger than what is read before it is passed on."""


class RequestBody:
    """The body of one request; nothing of it is kept, unless it is read."""

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
            ClientGoneError: the client left in the middle.
            TooLargeError: it is larger.
        """
        pieces: list[bytes] = []
        n_bytes = 0
        async for piece in self.pieces(lambda: None):
            n_bytes += len(piece)
            if n_bytes > most_bytes:
                raise TooLargeError
            pieces.append(piece)
        return b"".join(pieces)

    def replace(self, whole: bytes) -> None:
        """Let `pieces` give this, after the body was read."""
        self._whole = whole

    async def pieces(self, on_piece: Callable[[], None]) -> AsyncIterator[bytes]:
        """Give the body as it comes in, telling of each piece.

        Raises:
            ClientGoneError: the client left in the middle.
        """
        if self._whole is not None:
            on_piece()
            yield self._whole
            return
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._ended.set()
                raise ClientGoneError
            on_piece()
            if piece := message.get("body", b""):
                yield piece
            if not message.get("more_body", False):
                self._ended.set()
                return

    async def client_gone(self) -> None:
        """Return once the client has left; only one task can hear of it."""
        if not self.is_empty:
            await self._ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass


@contextlib.asynccontextmanager
async def while_client_stays(body: RequestBody) -> AsyncIterator[None]:
    """Break off what is inside when the client goes away, and with it the upstream's work."""
    task = asyncio.current_task()
    assert task is not None
    leaving: asyncio.Task[None] | None = None

    def break_off(left: asyncio.Task[None]) -> None:
        if not left.cancelled():
            task.cancel()

    def look() -> None:
        nonlocal leaving
        leaving = asyncio.create_task(body.client_gone())
        leaving.add_done_callback(break_off)

    timer = asyncio.get_running_loop().call_later(_LOOK_AFTER_S, look)
    try:
        yield
    except asyncio.CancelledError:
        if leaving is None or not leaving.done():  # not the client: the server itself ends
            raise
        task.uncancel()
    finally:
        timer.cancel()
        if leaving is not None:
            leaving.remove_done_callback(break_off)
            leaving.cancel()
