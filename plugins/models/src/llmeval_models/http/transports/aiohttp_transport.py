"""HTTP by aiohttp: also through proxies."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp import http_exceptions

from llmeval_models.http.connection_errors import bypasses_proxy
from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.http.tls import make_tls
from llmeval_models.http.transports.compression import ACCEPTED, decompressed
from llmeval_models.http.transports.http_connection import reason_of
from llmeval_models.http.transports.transport import (
    KEEPALIVE_S,
    ConnectTimeoutError,
    HttpResponse,
    ResponseLimits,
    TransportError,
    body_too_long,
    headers_too_long,
)

_TLS_RECORD = re.compile(r"\\x1[56]\\+x03")  # an alert or a handshake, as aiohttp writes bytes


class AiohttpTransport:
    """A session of aiohttp.

    Args:
        settings: how long to wait for a connection, how long an answer may be, and whether to
            use proxies.
        headers: sent with each request.
    """

    def __init__(self, settings: HttpSettings, headers: Mapping[str, str]) -> None:
        self._urls: dict[str, yarl.URL] = {}
        self._proxy = _proxy_for(settings)
        self._limits = ResponseLimits(settings.max_answer_bytes, settings.max_header_bytes)
        if "accept-encoding" not in map(str.lower, headers):
            headers = {**headers, "Accept-Encoding": ACCEPTED}
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=KEEPALIVE_S, ssl=_tls_for(settings)
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_timeout_s),
            trust_env=settings.trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # it knows no bound
            max_line_size=settings.max_header_bytes,
            max_field_size=settings.max_header_bytes,
        )

    async def send(self, method: str, url: str, content: bytes | None) -> HttpResponse:
        """Send one request; see `Transport`."""
        parsed = self._urls.get(url)
        if parsed is None:  # once a path, not once a request
            parsed = self._urls[url] = yarl.URL(url)
        try:
            async with self._session.request(
                method, parsed, data=content, allow_redirects=False, proxy=self._proxy
            ) as response:
                received = await self._read(response)
                encoding = response.headers.get("Content-Encoding")
                content = decompressed(received, encoding, self._limits)
                return HttpResponse(response.status, content, response.headers.get)
        except TimeoutError as err:  # aiohttp's own timeouts are both this and a ClientError
            raise ConnectTimeoutError from err
        except aiohttp.ClientError as err:
            if _tells_of_length(err):
                raise headers_too_long(self._limits) from err
            raise TransportError(_reason(err)) from err

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read the body as it was sent, up to the bound."""
        most = self._limits.answer_bytes
        received = bytearray()
        if (response.content_length or 0) > most:
            raise body_too_long(self._limits)
        async for piece in response.content.iter_any():
            received += piece
            if len(received) > most:
                raise body_too_long(self._limits)
        return bytes(received)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()


def _tls_for(settings: HttpSettings) -> ssl.SSLContext | bool:
    """Make what TLS begins with, if there will be any."""
    has_tls = f"{settings.base_url} {settings.proxy or ''}".count("https://")
    return make_tls(settings) if has_tls else True


def _proxy_for(settings: HttpSettings) -> str | None:
    """Tell through which proxy to go; None for none, or for what the environment says."""
    host = urlsplit(settings.base_url).hostname or ""
    return None if bypasses_proxy(host) else settings.proxy


def _reason(err: aiohttp.ClientError) -> str:
    """Say what happened without aiohttp's repetition of host and port."""
    if isinstance(err, aiohttp.ClientConnectorCertificateError):
        cause = err.certificate_error
        return f"invalid certificate: {getattr(cause, 'verify_message', None) or cause}"
    if isinstance(err, aiohttp.ClientConnectorError):
        return reason_of(err.os_error)
    if isinstance(err, aiohttp.ClientResponseError) and _TLS_RECORD.search(err.message):
        return "it speaks TLS"
    return str(err) or type(err).__name__


def _tells_of_length(err: aiohttp.ClientError) -> bool:
    """Tell whether a header was too long; aiohttp's parser says it some causes further down."""
    cause: BaseException | None = err
    while cause is not None and not isinstance(cause, http_exceptions.LineTooLong):
        cause = cause.__cause__
    return cause is not None
