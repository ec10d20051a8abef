"""What the client needs of HTTP: one request, one answer, two ways to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

KEEPALIVE_S = 30.0

Header = Callable[[str], str | None]
"""Reads one header of an answer by name, in any case; None if it is not there."""


class TooLateError(Exception):
    """The server did not accept a connection in time."""


class BrokenError(Exception):
    """There is no connection, or it broke before the whole answer came.

    Args:
        reason: for people, without the address.
    """


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status.

    Attributes:
        status: the HTTP status.
        content: the whole body, decompressed.
        header: reads a header.
    """

    status: int
    content: bytes
    header: Header


class Wire(Protocol):
    """A connection pool; opens connections as they are needed.

    It follows no redirects, keeps no cookies and bounds nothing but connecting. A request that is
    cancelled closes its connection, so that the server can stop too.
    """

    async def send(self, method: str, url: str, content: bytes | None) -> Reply:
        """Send one request and read the whole answer.

        Raises:
            TooLateError: no connection in time.
            BrokenError: no connection, or not the whole answer.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
