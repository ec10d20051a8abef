"""A proxy before a real MLflow server that does, request by request, what networks do."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from plugins.trackers.mlflow_tracker.tests.fault_actions import (
    PASS,
    FaultAction,
    Program,
    ProxiedRequest,
    always,
)

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_PATIENCE_S = 30.0


class FaultProxy:
    """Forwards to a server; `program` decides what happens to each request.

    Args:
        upstream: the server's URL.
        host: the Host header that the server gets; None for its own address.
        certificate: speak TLS with this.
    """

    def __init__(
        self, upstream: str, *, host: str | None = None, certificate: ssl.SSLContext | None = None
    ) -> None:
        self.program: Program = always(PASS)
        self.seen: list[ProxiedRequest] = []
        self._host = host
        self._upstream = urlsplit(upstream).netloc
        self.certificate = certificate
        self._lock = threading.Lock()
        self._let_go = threading.Event()
        self._idle = threading.Condition(self._lock)
        self.n_held = 0
        self._closed = threading.Event()
        self._listener = self._listen(0)
        scheme = "https" if certificate else "http"
        self.port: int = self._listener.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def count(self, name: str) -> int:
        """Count requests by name, such as `POST runs/create`."""
        return self.counts()[name]

    def counts(self) -> Counter[str]:
        with self._lock:
            return Counter(request.name for request in self.seen)

    def forget(self) -> None:
        """Count from 1 again."""
        with self._lock:
            self.seen.clear()

    def let_go(self) -> None:
        """Pass on what was held as `late`, and hold nothing from now on."""
        self._let_go.set()

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Refuse all connections for a while, and break those that are open."""
        self._listener.stop()
        yield
        self._listener = self._listen(self.port)

    def close(self) -> None:
        self._closed.set()
        self._let_go.set()
        self._listener.stop()

    def decide(self, method: str, target: str, headers: Mapping[str, str]) -> FaultAction:
        """Note a request and say what happens to it."""
        path = urlsplit(target).path
        for start in ("/api/2.0/mlflow-artifacts/", "/api/2.0/mlflow/", "/api/3.0/mlflow/"):
            path = path.removeprefix(start)
        with self._lock:
            request = ProxiedRequest(len(self.seen) + 1, method, path, headers)
            self.seen.append(request)
        return self.program(request)

    def wait_idle(self) -> None:
        """Wait until nothing that was let go is under way any more."""
        with self._idle:
            assert self._idle.wait_for(lambda: not self.n_held, _PATIENCE_S)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """Hold a request until it is let go, and count it up to the end."""
        with self._idle:
            self.n_held += 1
        self._let_go.wait(_PATIENCE_S)
        try:
            yield
        finally:
            with self._idle:
                self.n_held -= 1
                self._idle.notify_all()

    def wait_closed(self) -> None:
        self._closed.wait(_PATIENCE_S)

    def ask_server(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Ask the real server; return status, headers, body."""
        connection = http.client.HTTPConnection(self._upstream, timeout=_PATIENCE_S)
        kept = {name: text for name, text in headers.items() if name not in _HOP_BY_HOP}
        kept["host"] = self._host or self._upstream
        with contextlib.closing(connection):
            connection.request(method, target, body, kept)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _listen(self, port: int) -> _FaultListener:
        listener = _FaultListener(("127.0.0.1", port), self)
        threading.Thread(
            target=listener.serve_forever, args=(0.01,), name="fault proxy", daemon=True
        ).start()
        return listener


class _FaultListener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], proxy: FaultProxy) -> None:
        super().__init__(address, _FaultHandler)
        self.proxy = proxy
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.proxy.certificate:  # the handshake is made by the connection's thread
            connection = self.proxy.certificate.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        with self._lock:
            self._open.discard(request)
        self.close_request(request)  # without a farewell, so that a reset is one

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what this is for."""

    def stop(self) -> None:
        """Take no more connections, and break those that are open."""
        self.shutdown()
        self.server_close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _FaultHandler(BaseHTTPRequestHandler):
    server: _FaultListener
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S

    def _serve(self) -> None:
        headers = {name.lower(): text for name, text in self.headers.items()}
        body = self._body(headers)
        action = self.server.proxy.decide(self.command, self.path, headers)
        if action.kind == "answer":
            self._answer(action.status, list(action.headers.items()), action.body)
        elif action.kind == "reset":
            self._reset()
        elif action.kind == "hang":
            self.server.proxy.wait_closed()
            self._reset()
        elif action.kind == "late":
            with self.server.proxy.holding():
                self._forward(action, headers, body)
        else:
            self._forward(action, headers, body)

    def _forward(self, action: FaultAction, headers: Mapping[str, str], body: bytes) -> None:
        status, said, content = self.server.proxy.ask_server(self.command, self.path, headers, body)
        if action.kind == "cut":
            self._reset()
        else:
            self._answer(status, said, content, halve=action.kind == "halve")

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, *, halve: bool = False
    ) -> None:
        self.send_response_only(status)
        for name, text in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if halve else body)
        if halve:
            self._reset()

    def _reset(self) -> None:
        """Close at once with RST, as a crashed host does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass
