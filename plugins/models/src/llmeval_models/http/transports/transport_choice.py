"""The choice of an HTTP transport for a server."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.transports.asyncio_transport import AsyncioTransport
from llmeval_models.http.transports.transport import Transport


def open_transport(settings: HttpSettings, headers: Mapping[str, str]) -> Transport:
    """Make the connection pool that `http` asks for; the first request connects.

    Args:
        settings: the server.
        headers: sent with each request.
    """
    # What is asked by plain HTTP is near and answers fast, so that the client is what takes time.
    has_proxy = settings.trust_env or settings.proxy is not None
    is_near = settings.base_url.startswith("http://") and not has_proxy
    if settings.http == "asyncio" or (settings.http == "auto" and is_near):
        return AsyncioTransport(settings, headers)
    # Late, because aiohttp takes a third of a second to import.
    from llmeval_models.http.transports.aiohttp_transport import AiohttpTransport  # noqa: PLC0415

    return AiohttpTransport(settings, headers)
