"""Who a client is, for counting: its address, or its network if that is all that means one."""

from __future__ import annotations

import ipaddress

from starlette.requests import Request
from starlette.types import Scope

_ONE_SUBSCRIBER = 64


def client_of(scope: Scope) -> str:
    """Return the client's address; of IPv6 the /64, of which one subscriber has a whole one."""
    client = scope.get("client")
    if not client:
        return "local"
    host = str(client[0])
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _ONE_SUBSCRIBER), strict=False))
    return host


async def client_leaves(request: Request) -> None:
    """Return when the client of a request whose body was read has left."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
