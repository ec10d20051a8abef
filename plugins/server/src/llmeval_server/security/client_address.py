"""The address by which requests of one client are counted, and its disconnection."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request
from starlette.types import Scope

_SUBSCRIBER_PREFIX = 64


def client_address(scope: Scope) -> str:
    """Return the client's address; of IPv6 its /64 network, which belongs to one subscriber."""
    client = scope.get("client")
    if not client:
        return "local"
    host = str(client[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _SUBSCRIBER_PREFIX), strict=False))
    return host


async def wait_for_disconnect(request: Request) -> None:
    """Wait until the client disconnects; the request's body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
