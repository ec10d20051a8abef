"""What carries the requests to a server."""

from __future__ import annotations

from collections.abc import Mapping

from llmeval_models.openai.wires.by_asyncio import AsyncioWire
from llmeval_models.openai.wires.wire import Wire
from llmeval_models.settings import ServerSettings


def open_wire(settings: ServerSettings, headers: Mapping[str, str]) -> Wire:
    """Make the connection pool that `http` asks for; the first request connects.

    Args:
        settings: the server.
        headers: sent with each request.
    """
    # What is asked by plain HTTP is near and answers fast, so that the client is what takes time.
    has_proxy = settings.trust_env or settings.proxy is not None
    is_near = settings.base_url.startswith("http://") and not has_proxy
    if settings.http == "asyncio" or (settings.http == "auto" and is_near):
        return AsyncioWire(settings, headers)
    # Late, because aiohttp takes a third of a second to import.
    from llmeval_models.openai.wires.by_aiohttp import AiohttpWire  # noqa: PLC0415

    return AiohttpWire(settings, headers)
