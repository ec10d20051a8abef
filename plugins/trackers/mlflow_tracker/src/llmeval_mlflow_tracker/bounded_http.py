"""MLflow's HTTP calls with an end: in time, in bytes, and in the number of redirects.

MLflow asks through `requests`, which bounds the wait for each byte but not for an answer: headers
that drip, a body without an end, and a kilobyte that unpacks to gigabytes go on for ever, and a
redirect is followed 30 times. MLflow has no setting for that and takes no session from outside.
So `install` wraps the one function where its client gets its sessions. Only a thread inside
`bounded` gets a bounded session; whoever else uses MLflow in this process is not touched.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from llmeval_core.hooks import expand_path

MOST_BYTES = 64 * 2**20
"""Largest answer, unpacked: fifty times what a run with 10,000 metrics takes."""
MOST_REDIRECTS = 3
_BLOCK = 1 << 16


class TooLargeError(requests.RequestException):
    """An answer is larger than any of MLflow's."""


class RedirectedError(requests.RequestException):
    """A write was redirected in a way that turns it into a read."""


class _Bounds:
    """What one call may cost; at its end the sockets that it uses are shut down."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False

    def left_s(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def watch(self, used: socket.socket) -> None:
        """Take a handle of one's own on a connection: TLS takes the socket's away."""
        with self._lock:
            self._sockets.append(socket.socket(fileno=os.dup(used.fileno())))
        if self.is_over:
            self.end()

    def close(self) -> None:
        """Give the handles back; the connections stay as they are."""
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()

    def end(self) -> None:
        """Wake whoever reads or writes; another thread may do this."""
        self.is_over = True
        with self._lock:
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


# State of a thread, not of the module: between MLflow's client, which hands nothing through, and
# the connections below it there is no other way.
_BOUNDS: ContextVar[_Bounds | None] = ContextVar("bounds of an HTTP call", default=None)


@contextlib.contextmanager
def bounded(deadline: float) -> Iterator[None]:
    """Bound the HTTP calls of this thread in the block; `deadline` is on the monotonic clock."""
    bounds = _Bounds(deadline)
    watchdog = threading.Timer(bounds.left_s(), bounds.end)
    watchdog.daemon = True
    watchdog.start()
    token = _BOUNDS.set(bounds)
    try:
        yield
    finally:
        _BOUNDS.reset(token)
        watchdog.cancel()
        bounds.close()


def install() -> None:
    """Give MLflow's client bounded sessions inside `bounded`; a second time changes nothing."""
    from mlflow.utils import request_utils  # noqa: PLC0415  heavy

    known = request_utils._get_request_session
    if not isinstance(known, _Sessions):
        request_utils._get_request_session = _Sessions(known)
        # It would log what we raise, with whatever the server said.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)


class _Sessions:
    """Stands where MLflow gets its sessions.

    Args:
        known: MLflow's own function; Any: it has no types.
    """

    def __init__(self, known: Callable[..., Any]) -> None:
        self._known = known
        self._made: dict[requests.Session, _Session] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> requests.Session:  # Any: handed through
        session: requests.Session = self._known(*args, **kwargs)
        if _BOUNDS.get() is None:
            return session
        found = self._made.get(session)
        if found is None:
            found = self._made[session] = _Session(session)
        return found


class _Session(requests.Session):
    """Like a session of MLflow's, with few redirects, and what certificates the user trusts."""

    def __init__(self, like: requests.Session) -> None:
        super().__init__()
        self.max_redirects = MOST_REDIRECTS
        retries: Any = like.get_adapter("https://").max_retries  # type: ignore[attr-defined]
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=_Retries.like(retries)))

    def merge_environment_settings(self, *args: Any, **kwargs: Any) -> Any:  # Any: the base's
        """Take SSL_CERT_FILE as other clients do, and expand `~` in the paths of files."""
        merged = super().merge_environment_settings(*args, **kwargs)
        if merged["verify"] is True and os.environ.get("SSL_CERT_FILE"):
            merged["verify"] = os.environ["SSL_CERT_FILE"]
        for name in ("verify", "cert"):
            if isinstance(merged[name], str):
                merged[name] = str(expand_path(merged[name]))
        return merged

    def rebuild_method(self, prepared_request: Any, response: Any) -> None:  # Any: the base's
        """Refuse a redirect that would turn a write into a read."""
        asked = prepared_request.method
        super().rebuild_method(prepared_request, response)
        if prepared_request.method != asked:
            target = str(response.headers.get("Location", "")).partition("?")[0][:200]
            raise RedirectedError(f"a write is redirected to {target}")


class _Adapter(HTTPAdapter):
    """Sends one request within the bounds, and reads the whole answer."""

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
        """Send; as the base class does, but for the bounds.

        Raises:
            requests.ReadTimeout: the time is over.
            TooLargeError: the answer is too large.
        """
        bounds = _BOUNDS.get()
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
        except TooLargeError:
            raise
        except Exception as err:
            if bounds.is_over:
                raise requests.ReadTimeout("timed out", request=request) from err
            raise
        if bounds.is_over:  # without its length an answer that was cut looks whole
            raise requests.ReadTimeout("timed out", request=request)
        return response


def _read(response: requests.Response) -> bytes:
    content = bytearray()
    for part in response.iter_content(_BLOCK):
        content += part
        if len(content) > MOST_BYTES:
            response.close()
            raise TooLargeError(f"an answer of more than {MOST_BYTES >> 20} MiB")
    return bytes(content)


class _Retries(Retry):
    """Waits before another attempt only if there is time for it."""

    @classmethod
    def like(cls, known: Retry) -> _Retries:
        """Repeat as often as MLflow's own settings say."""
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
        bounds = _BOUNDS.get()
        wait_s = self.get_backoff_time()
        if response is not None and self.respect_retry_after_header:
            wait_s = self.get_retry_after(response) or wait_s
        if bounds is not None and wait_s >= bounds.left_s():
            raise TimeoutError("timed out before another attempt")
        super().sleep(response)


class _Watched:
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
    bounds = _BOUNDS.get()
    if bounds is not None:
        bounds.watch(used)


class _HttpConnection(_Watched, HTTPConnection):
    pass


class _HttpsConnection(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}
