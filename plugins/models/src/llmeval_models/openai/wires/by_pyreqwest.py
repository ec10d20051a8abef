"""HTTP by pyreqwest, which is written in Rust: about half the time of a processor.

It does not end a request that is cancelled: the server goes on with it, and it holds its
connection until the answer comes (pyreqwest 0.15.1; its API has no other way to abort).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import ConnectTimeoutError, DetailedPyreqwestError, PyreqwestError
from pyreqwest.response import Response

from llmeval_models.openai.wires.wire import (
    KEEPALIVE_S,
    BrokenError,
    NotUsableError,
    Reply,
    TooLateError,
)
from llmeval_models.settings import ServerSettings

# What Rust adds to the words of the operating system.
_RUST_SAYS = re.compile(r" \(os error \d+\)$|^failed to lookup address information: ")


class PyreqwestWire:
    """A client of pyreqwest.

    Args:
        settings: how long to wait for a connection, and whether to use proxies.
        headers: sent with each request.

    Raises:
        NotUsableError: the process was forked from one that used it, or has no certificates.
    """

    def __init__(self, settings: ServerSettings, headers: Mapping[str, str]) -> None:
        builder = (
            ClientBuilder()
            .default_headers(dict(headers))
            .follow_redirects(enable=False)
            .connect_timeout(timedelta(seconds=settings.connect_timeout_s))
            .pool_idle_timeout(timedelta(seconds=KEEPALIVE_S))
        )
        if not settings.trust_env:
            builder = builder.no_proxy()
        try:
            self._client = builder.build()
        except PyreqwestError as err:
            raise NotUsableError(f"pyreqwest: {_reason(err)}") from err
        except RuntimeError as err:  # so it refuses to work after a fork
            raise NotUsableError("pyreqwest cannot be used on both sides of a fork") from err

    async def send(self, method: str, url: str, content: bytes | None) -> Reply:
        """Send one request; see `Wire`."""
        try:
            builder = self._client.request(method, url)
            if content is not None:
                builder = builder.body_bytes(content)
            response = await builder.build().send()
            received = (await response.bytes()).to_bytes()
        except ConnectTimeoutError as err:
            raise TooLateError from err
        except (PyreqwestError, ValueError) as err:  # ValueError: it finds no host in the address
            raise BrokenError(_reason(err)) from err
        return Reply(response.status, received, partial(_header, response))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.close()


def _header(response: Response, name: str) -> str | None:
    """Read a header; one that is not ASCII cannot be read, and counts as not there."""
    try:
        return response.get_header(name)
    except ValueError:
        return None


def _reason(err: Exception) -> str:
    """Say what happened by the innermost cause; the outer ones repeat the address."""
    if not isinstance(err, DetailedPyreqwestError) or not err.details["causes"]:
        return str(err)
    said = _RUST_SAYS.sub("", err.details["causes"][-1]["message"])
    if "CaUsedAsEndEntity" in said:
        return "invalid certificate: self-signed; if you trust it, set `http: aiohttp`"
    return said.replace("invalid peer certificate", "invalid certificate")
