"""The HTTP client of proxy and diagnosis: it changes nothing and keeps no cookies."""

from __future__ import annotations

import ssl

import aiohttp

from llmeval_mlflow_proxy.upstream import Upstream

_CONNECT_S = 5.0
_KEEP_ALIVE_S = 3.0  # uvicorn closes an idle connection after 5 s; ours is closed before
_LINE_BYTES = 65_536
_BUFFER_BYTES = 262_144


def new_session(*, total_s: float | None = None) -> aiohttp.ClientSession:
    """Return a session without cookies, decoding, added headers, or a limit for streams.

    Args:
        total_s: most seconds a request may take; None for no limit.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=total_s, sock_connect=_CONNECT_S),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        max_line_size=_LINE_BYTES,
        max_field_size=_LINE_BYTES,
        read_bufsize=_BUFFER_BYTES,
    )


def tls_of(upstream: Upstream) -> ssl.SSLContext | bool:
    """Return which certificates to trust; reads a file, so it blocks.

    Raises:
        OSError: the file of certificates cannot be read.
    """
    if not upstream.verify_tls:
        return False
    if upstream.ca_file is None:
        return True
    return ssl.create_default_context(cafile=upstream.ca_file)


def reason_of(err: BaseException) -> str:
    """Describe why a request to a server failed."""
    match err:
        case aiohttp.ClientConnectorCertificateError():
            reason = f"its certificate is not trusted: {err.certificate_error}"
        case aiohttp.ClientConnectorSSLError():
            reason = "it does not speak TLS (is it http, not https?)"
        case aiohttp.ClientConnectorDNSError():
            reason = f"there is no host '{err.host}'"
        case TimeoutError():
            reason = "no answer in time"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            reason = "connection refused"
        case aiohttp.ClientConnectorError():
            reason = err.os_error.strerror or "no connection"
        case aiohttp.ServerDisconnectedError():
            reason = "it closed the connection without an answer"
        case OSError():
            reason = err.strerror or type(err).__name__
        case _:
            reason = f"its answer cannot be understood ({type(err).__name__})"
    return reason
