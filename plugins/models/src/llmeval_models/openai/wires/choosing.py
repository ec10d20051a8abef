"""Which HTTP library carries the requests to a server."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping

from llmeval_models.openai.wires.wire import NotUsableError, Wire
from llmeval_models.settings import ServerSettings

_OWN_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def open_wire(settings: ServerSettings, headers: Mapping[str, str]) -> Wire:
    """Make the connection pool that `http` asks for; the first request connects.

    Args:
        settings: the server; `auto` takes pyreqwest where both libraries do the same.
        headers: sent with each request.

    Raises:
        NotUsableError: pyreqwest is asked for and cannot be used.
    """
    if settings.http == "pyreqwest":
        return _by_pyreqwest(settings, headers)
    if settings.http == "auto" and _do_the_same(settings):
        try:
            return _by_pyreqwest(settings, headers)
        except NotUsableError:
            pass
    # Late, because aiohttp takes a third of a second to import.
    from llmeval_models.openai.wires.by_aiohttp import AiohttpWire  # noqa: PLC0415

    return AiohttpWire(settings, headers)


def _by_pyreqwest(settings: ServerSettings, headers: Mapping[str, str]) -> Wire:
    if importlib.util.find_spec("pyreqwest") is None:
        raise NotUsableError("pyreqwest is not installed")
    from llmeval_models.openai.wires.by_pyreqwest import PyreqwestWire  # noqa: PLC0415

    return PyreqwestWire(settings, headers)


def _do_the_same(settings: ServerSettings) -> bool:
    """Tell whether both libraries reach the server alike.

    They read the environment's proxies by different rules, and of the certificates that it names
    pyreqwest takes no self-signed ones.
    """
    https = settings.base_url.startswith("https:")
    return not settings.trust_env and not (https and any(map(os.environ.get, _OWN_CERTIFICATES)))
