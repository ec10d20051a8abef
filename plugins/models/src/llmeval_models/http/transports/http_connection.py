"""One connection to a server: a request goes out, its answer comes back."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import ssl
from typing import cast

from llmeval_models.http.transports.response_parser import ResponseParser
from llmeval_models.http.transports.transport import HttpResponse, ResponseLimits, TransportError

_ERRNO = re.compile(r"\[Errno (\d+)\]")


class HttpConnection(asyncio.Protocol):
    """A connection that is used for one request at a time.

    Args:
        limits: how long an answer may be.

    Attributes:
        idle_since: when its last answer came, by the loop's clock.
        closed: done when it is.
    """

    def __init__(self, limits: ResponseLimits) -> None:
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._answer: ResponseParser | None = None
        self._asked: asyncio.Future[HttpResponse] | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeps_alive = True
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether another request can be sent."""
        return self._keeps_alive and not self.closed.done()

    async def ask(self, request: bytes) -> HttpResponse:
        """Send a request and wait for its answer; if cancelled, close the connection.

        Raises:
            UnusableResponseError: the answer is not taken.
            TransportError: the connection broke first.
        """
        assert self._transport is not None
        self._answer = ResponseParser(self._limits)
        self._asked = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._asked
        except BaseException:
            self.abort()
            raise
        finally:
            self._asked = None

    def abort(self) -> None:
        """Close at once; nothing more is sent."""
        self._keeps_alive = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        self._transport = cast("asyncio.Transport", transport)  # by create_connection it is one

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self._asked is None or self._asked.done() or self._answer is None:
            self.abort()  # nobody asked for this
            return
        try:
            if self._answer.feed(data):
                self._keeps_alive = self._answer.keeps_alive
                self._asked.set_result(self._answer.response())
        except TransportError as err:
            self._asked.set_exception(err)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self.closed.set_result(None)
        if self._asked is None or self._asked.done() or self._answer is None:
            return
        if exc is None and self._answer.ends_by_closing():
            try:
                self._asked.set_result(self._answer.response())
            except TransportError as err:
                self._asked.set_exception(err)
        else:
            reason = "it closed before the whole answer came" if exc is None else reason_of(exc)
            self._asked.set_exception(TransportError(reason))


def reason_of(err: Exception) -> str:
    """Say in the words of the operating system what happened."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"invalid certificate: {err.verify_message or err}"
    if isinstance(err, ssl.SSLError):
        return f"TLS: {err.reason or err}"
    if isinstance(err, OSError) and err.errno is not None and err.errno > 0:
        return os.strerror(err.errno)
    if isinstance(err, OSError) and err.strerror:  # DNS errors count downwards
        return err.strerror
    if found := _ERRNO.search(str(err)):  # one for each address of a host
        return os.strerror(int(found[1]))
    was_reset = isinstance(err, ConnectionResetError)  # asyncio's has no number
    return str(err) or (os.strerror(errno.ECONNRESET) if was_reset else type(err).__name__)
