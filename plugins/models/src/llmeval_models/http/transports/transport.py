"""What the client needs of HTTP: one request, one response, two ways to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

KEEPALIVE_S = 30.0

Header = Callable[[str], str | None]
"""Reads one header of an answer by name, in any case; None if it is not there."""


class ConnectTimeoutError(Exception):
    """The server did not accept a connection in time."""


class TransportError(Exception):
    """There is no connection, or it broke before the whole answer came.

    Args:
        reason: for people, without the address.
    """


class UnusableResponseError(TransportError):
    """An answer came, and is not taken: too long, or compressed in a way that we do not know.

    Args:
        reason: for people, without the address.
        hint: what to try; None if there is nothing to suggest.
    """

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class ResponseLimits:
    """The longest answer that is taken; what is longer is an `UnusableResponseError`.

    Attributes:
        answer_bytes: of its body, compressed and not.
        header_bytes: of its headers, and of a line between its chunks.
    """

    answer_bytes: int = 64 * 2**20
    header_bytes: int = 64 * 2**10


def body_too_long(limits: ResponseLimits) -> UnusableResponseError:
    """Make the error for a body that is too long."""
    return UnusableResponseError(
        f"the answer is longer than {limits.answer_bytes:,} bytes",
        hint="the setting max_answer_bytes allows more",
    )


def headers_too_long(limits: ResponseLimits) -> UnusableResponseError:
    """Make the error for headers, or a line between chunks, that are too long."""
    return UnusableResponseError(
        f"the headers of the answer are longer than {limits.header_bytes:,} bytes",
        hint="the setting max_header_bytes allows more",
    )


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer, whatever its status.

    Attributes:
        status: the HTTP status.
        content: the whole body, decompressed.
        header: reads a header.
        tells_quota: whether a header may tell of a quota; there are many to look at.
    """

    status: int
    content: bytes
    header: Header
    tells_quota: bool = True


class Transport(Protocol):
    """A connection pool; opens connections as they are needed.

    It follows no redirects, keeps no cookies, and bounds the time to connect and the size of an
    answer, nothing else. A request that is
    cancelled closes its connection, so that the server can stop too.
    """

    async def send(self, method: str, url: str, content: bytes | None) -> HttpResponse:
        """Send one request and read the whole answer.

        Raises:
            ConnectTimeoutError: no connection in time.
            UnusableResponseError: an answer that is too long, or compressed in an unknown way.
            TransportError: no connection, or not the whole answer.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
