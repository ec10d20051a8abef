"""MLflow's HTTP calls, bounded in time, in bytes, and in the number of redirects.

MLflow's client uses `requests`, which bounds the wait for each byte but not for a response: headers
that drip, a body without an end, and a kilobyte that unpacks to gigabytes go on for ever, and up to
30 redirects are followed. MLflow has no setting for that and takes no session from outside, so
`install` wraps the one function where its client gets its sessions. Only a thread inside
`call_bounds.bounded` gets a bounded session; other users of MLflow in this process are not touched.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from llmeval_core.hooks import expand_path
from llmeval_mlflow_tracker.call_bounds import current_bounds

MAX_RESPONSE_BYTES = 64 * 2**20
"""Largest response, unpacked: fifty times that of a run with 10,000 metrics."""
MAX_REDIRECTS = 3
_BLOCK_BYTES = 1 << 16


class ResponseTooLargeError(requests.RequestException):
    """A response is larger than any of MLflow's."""


class WriteRedirectedError(requests.RequestException):
    """A write was redirected in a way that turns it into a read."""


def install() -> None:
    """Let MLflow's client use bounded sessions; called a second time it changes nothing."""
    from mlflow.utils import request_utils  # noqa: PLC0415  heavy

    known = request_utils._get_request_session
    if not isinstance(known, _BoundedSessions):
        request_utils._get_request_session = _BoundedSessions(known)
        # urllib3 would log what we raise, with whatever the server said.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class _BoundedSessions:
    """Replaces the function where MLflow's client gets its sessions.

    Args:
        known: MLflow's own function; Any: it has no types.
    """

    def __init__(self, known: Callable[..., Any]) -> None:
        self._known = known
        self._made: dict[requests.Session, _BoundedSession] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> requests.Session:  # Any: handed through
        session: requests.Session = self._known(*args, **kwargs)
        if current_bounds() is None:
            return session
        found = self._made.get(session)
        if found is None:
            found = self._made[session] = _BoundedSession(session)
        return found


class _BoundedSession(requests.Session):
    """A session like MLflow's, with few redirects and the certificates that the user trusts."""

    def __init__(self, like: requests.Session) -> None:
        super().__init__()
        self.max_redirects = MAX_REDIRECTS
        retries: Any = like.get_adapter("https://").max_retries  # type: ignore[attr-defined]
        for scheme in ("http://", "https://"):
            self.mount(scheme, _BoundedAdapter(max_retries=_BoundedRetries.like(retries)))

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:  # Any: the base's
        """Read SSL_CERT_FILE as other clients do, and expand `~` in the paths of files."""
        merged = super().merge_environment_settings(*args, **kwargs)
        if merged["verify"] is True and os.environ.get("SSL_CERT_FILE"):
            merged["verify"] = os.environ["SSL_CERT_FILE"]
        for name in ("verify", "cert"):
            if isinstance(merged[name], str):
                merged[name] = str(expand_path(merged[name]))
        return merged

    def rebuild_method(self, prepared_request: Any, response: Any) -> None:  # Any: the base's
        """Refuse a redirect that would turn a write into a read."""
        method = prepared_request.method
        super().rebuild_method(prepared_request, response)
        if prepared_request.method != method:
            target = str(response.headers.get("Location", "")).partition("?")[0][:200]
            raise WriteRedirectedError(f"a write is redirected to {target}")


class _BoundedAdapter(HTTPAdapter):
    """Sends one request within the bounds of its call, and reads the whole response."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # Any: the base's
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: Any, **proxy_kwargs: Any) -> Any:  # Any: the base's
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if not str(proxy).lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(  # type: ignore[override]
        self, request: Any, stream: bool = False, timeout: Any = None, **kwargs: Any
    ) -> requests.Response:  # Any: the base's
        """Send as the base class does, within the bounds.

        Raises:
            requests.ReadTimeout: the time is over.
            ResponseTooLargeError: the response is too large.
        """
        bounds = current_bounds()
        if bounds is None:
            return super().send(request, stream=stream, timeout=timeout, **kwargs)
        allowed_s = max(0.001, bounds.left_s())
        if isinstance(timeout, int | float):
            allowed_s = min(allowed_s, timeout)
        try:
            if bounds.is_over:
                raise requests.ReadTimeout("timed out")
            response = super().send(request, stream=True, timeout=allowed_s, **kwargs)
            if not stream:
                response._content = _read(response)
        except ResponseTooLargeError:
            raise
        except Exception as err:
            if bounds.is_over:
                raise requests.ReadTimeout("timed out", request=request) from err
            raise
        if bounds.is_over:  # a response without a length looks whole when it was cut
            raise requests.ReadTimeout("timed out", request=request)
        return response


def _read(response: requests.Response) -> bytes:
    content = bytearray()
    for part in response.iter_content(_BLOCK_BYTES):
        content += part
        if len(content) > MAX_RESPONSE_BYTES:
            response.close()
            raise ResponseTooLargeError(f"an answer of more than {MAX_RESPONSE_BYTES >> 20} MiB")
    return bytes(content)


class _BoundedRetries(Retry):
    """Waits before another attempt only if there is time for it."""

    @classmethod
    def like(cls, known: Retry) -> _BoundedRetries:
        """Copy MLflow's own retry settings."""
        return cls(
            total=known.total,
            connect=known.connect,
            read=known.read,
            redirect=known.redirect,
            status=known.status,
            allowed_methods=known.allowed_methods,
            status_forcelist=known.status_forcelist,
            backoff_factor=known.backoff_factor,
            backoff_jitter=known.backoff_jitter,
            raise_on_status=known.raise_on_status,
            respect_retry_after_header=known.respect_retry_after_header,
        )

    def sleep(self, response: Any = None) -> None:  # Any: urllib3's response
        """Wait, unless that would take all the time that is left.

        Raises:
            TimeoutError: it would.
        """
        bounds = current_bounds()
        wait_s = self.get_backoff_time()
        if response is not None and self.respect_retry_after_header:
            wait_s = self.get_retry_after(response) or wait_s
        if bounds is not None and wait_s >= bounds.left_s():
            raise TimeoutError("timed out before another attempt")
        super().sleep(response)


class _WatchedConnection:
    """A connection whose socket is shut down when the time of its call is over."""

    sock: Any  # Any: plain or encrypted, None while there is none

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        _watch(made)
        return made

    def request(self, *args: Any, **kwargs: Any) -> None:  # Any: the base's
        if self.sock is not None:
            _watch(self.sock)
        super().request(*args, **kwargs)  # type: ignore[misc]


def _watch(used: socket.socket) -> None:
    bounds = current_bounds()
    if bounds is not None:
        bounds.watch(used)


class _WatchedHttpConnection(_WatchedConnection, HTTPConnection):
    pass


class _WatchedHttpsConnection(_WatchedConnection, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}
