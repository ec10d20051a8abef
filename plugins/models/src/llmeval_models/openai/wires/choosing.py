"""Which HTTP library carries the requests to a server."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from llmeval_models.openai.wires.wire import NotUsableError, Wire
from llmeval_models.settings import ServerSettings


def open_wire(settings: ServerSettings, headers: Mapping[str, str]) -> Wire:
    """Make the connection pool that `http` asks for; the first request connects.

    `auto` is aiohttp: pyreqwest does not end what is cancelled, and a server that is too slow
    would get the second try on top of the first.

    Args:
        settings: the server.
        headers: sent with each request.

    Raises:
        NotUsableError: pyreqwest is asked for and cannot be used.
    """
    # Both late: one of them is enough, and aiohttp takes a third of a second to import.
    if settings.http == "pyreqwest":
        if importlib.util.find_spec("pyreqwest") is None:
            raise NotUsableError("pyreqwest is not installed")
        from llmeval_models.openai.wires.by_pyreqwest import PyreqwestWire  # noqa: PLC0415

        return PyreqwestWire(settings, headers)
    from llmeval_models.openai.wires.by_aiohttp import AiohttpWire  # noqa: PLC0415

    return AiohttpWire(settings, headers)
