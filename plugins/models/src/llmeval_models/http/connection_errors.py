"""Why there is no connection, and what to try: the cause, not the class of the failure."""

from __future__ import annotations

import os
import re
from urllib.parse import SplitResult

from llmeval_core.hooks import ModelError
from llmeval_models.http.endpoint import Endpoint
from llmeval_models.http.http_settings import HttpSettings

_UNKNOWN_NAME = re.compile(
    r"name or service not known|nodename nor servname|name resolution|no address associated"
    r"|name does not resolve|getaddrinfo|dns server|domain name not found|no such host",
    re.IGNORECASE,
)
_CAUSES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), hint)
    for pattern, hint in (
        (
            r"too many open files",
            "raise the limit of open files (`ulimit -n 4096`), or lower max_concurrency",
        ),
        (r"is not known: ", "is the host in base_url right, and does the name server answer?"),
        (
            r"^https.*(?:wrong[_ ]version[_ ]number|http[_ ]request|unknown[_ ]protocol"
            r"|record[_ ]layer|packet[_ ]length[_ ]too[_ ]long)",
            "this server speaks no TLS: write http:// in base_url",
        ),
        (
            r"^http:.*speaks tls|^http:443 (?!.*refused)",
            "this port speaks TLS: write https:// in base_url",
        ),
        (
            r"^http:.*(?:closed before|disconnected|reset by peer)",
            "it hung up: if this port speaks TLS, write https:// in base_url",
        ),
        (
            r"certificate.*(?:hostname|ip address) mismatch|certificate.*is not valid for",
            "the certificate is of another host: is base_url right?",
        ),
        (
            r"certificate.*(?:has expired|not yet valid)",
            "renew the server's certificate; is the clock right?",
        ),
        (
            r"certificate required|handshake|alert",
            "does the server want a certificate of yours? client_cert, client_key",
        ),
        (
            r"certificate",
            "name the certificates to trust with `ca_file`, or the variable SSL_CERT_FILE; "
            "`verify: false` trusts anybody",
        ),
        (r"", "is it running, and is base_url right?"),
    )
)
"""What stands in scheme, port and reason, and what to try then; the first that fits counts."""
_ENV_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def connection_error(reason: str, settings: HttpSettings, endpoint: Endpoint) -> ModelError:
    """Make the error for a connection that could not be made, or broke.

    Args:
        reason: what the wire says, without secrets.
        settings: how the server is asked.
        endpoint: where it is.
    """
    if _UNKNOWN_NAME.search(reason):
        reason = f"the name '{endpoint.url.hostname}' is not known: {reason}"
    hint, unused = _hint(reason, endpoint.url), unused_proxy(settings, endpoint.url)
    return ModelError(
        "connection",
        f"no connection to the server: {reason}",
        where=endpoint.base,
        hint=f"{hint} {unused}" if unused else hint,
    )


def connect_timeout_error(settings: HttpSettings, endpoint: Endpoint) -> ModelError:
    """Make the error for a server that does not take a connection in time."""
    return ModelError(
        "timeout",
        "the server did not accept a connection in time",
        where=endpoint.base,
        hint=unused_proxy(settings, endpoint.url) or _late_hint(endpoint.url),
    )


def _hint(reason: str, url: SplitResult) -> str:
    text = f"{url.scheme}:{url.port or ''} {reason}"
    return next(hint for pattern, hint in _CAUSES if pattern.search(text))


def _late_hint(url: SplitResult) -> str | None:
    # A plain server may wait for the end of what it takes for a request.
    return (
        "if this server speaks no TLS, write http:// in base_url" if url.scheme == "https" else None
    )


def unused_proxy(settings: HttpSettings, url: SplitResult) -> str | None:
    """Say of a proxy that the environment names and we do not use; None if there is none."""
    if settings.trust_env or settings.proxy is not None:
        return None
    prefix = f"{url.scheme}_proxy"
    for name in _ENV_PROXIES:
        is_of_scheme = name.lower() in (prefix, "all_proxy")
        if is_of_scheme and os.environ.get(name) and not bypasses_proxy(url.hostname or ""):
            return f"{name} names a proxy: `trust_env: true` uses it"
    return None


def bypasses_proxy(host: str) -> bool:
    """Whether NO_PROXY says that a host is asked directly."""
    # Late: it is heavy, and few have proxies.
    from urllib.request import proxy_bypass  # noqa: PLC0415

    return bool(proxy_bypass(host))
