"""A block in which no network is to be had."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def offline(what: str) -> Iterator[None]:
    """Refuse connections and name look-ups meanwhile; `what` is called to account."""
    refused = AssertionError(f"{what} uses the network")
    with (
        mock.patch.object(socket.socket, "connect", side_effect=refused),
        mock.patch.object(socket.socket, "connect_ex", side_effect=refused),
        mock.patch.object(socket, "getaddrinfo", side_effect=refused),
    ):
        yield
