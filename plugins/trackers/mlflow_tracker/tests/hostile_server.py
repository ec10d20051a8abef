"""A server on loopback that answers in ways that a client without bounds does not survive."""

from __future__ import annotations

import contextlib
import functools
import gzip
import re
import socket
import threading
from collections.abc import Callable, Iterator

Serve = Callable[["Hostile", socket.socket], None]
"""Answers one request on a connection that was read up to the end of the request's headers."""

_STEP_S = 0.02


class Hostile:
    """Takes connections until it is closed; each is answered by `serve` in a thread of its own.

    Attributes:
        n_requests: how many came.
        gone: set when it is closed.
    """

    def __init__(self, serve: Serve) -> None:
        self.n_requests = 0
        self.gone = threading.Event()
        self.n_serving = 0
        self._serve = serve
        self._idle = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with self._idle:
            self.n_serving += 1
        with connection, contextlib.suppress(OSError):
            received = b""
            while b"\r\n\r\n" not in received and not received.startswith(b"\x16\x03"):
                if not (data := connection.recv(65536)):
                    break
                received += data
            else:
                _drain(connection, received)
                self.n_requests += 1
                self._serve(self, connection)
        with self._idle:
            self.n_serving -= 1
            self._idle.notify_all()

    def wait_idle(self, within_s: float) -> None:
        """Return when no client holds a connection any more."""
        with self._idle:
            assert self._idle.wait_for(lambda: not self.n_serving, within_s), "it still reads"

    def close(self) -> None:
        self.gone.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _drain(connection: socket.socket, received: bytes) -> None:
    """Read the request's body: closing before would look like a reset."""
    head, _, body = received.partition(b"\r\n\r\n")
    if length := re.search(rb"(?i)content-length: (\d+)", head):
        left = int(length[1]) - len(body)
        while left > 0 and (data := connection.recv(65536)):
            left -= len(data)


@contextlib.contextmanager
def hostile(serve: Serve) -> Iterator[Hostile]:
    server = Hostile(serve)
    yield server
    server.close()


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def redirect_loop(server: Hostile, connection: socket.socket) -> None:
    target = f"{server.url}/again/{server.n_requests}"
    connection.sendall(
        _head("302 Found", f"Location: {target}", "Content-Length: 0", "Connection: close")
    )


def redirect_with_endless_body(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("307 Temporary Redirect", f"Location: {server.url}/again"))
    _endless(server, connection)


def dripping_headers(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not server.gone.wait(_STEP_S):
        connection.sendall(b"X-Wait: a\r\n"[:3])


def dripping_body(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("200 OK", "Content-Type: application/json", "Connection: close"))
    while not server.gone.wait(_STEP_S):
        connection.sendall(b" ")


def endless_body(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("200 OK", "Content-Type: application/json", "Connection: close"))
    _endless(server, connection)


def _endless(server: Hostile, connection: socket.socket) -> None:
    block = b" " * 65536
    while not server.gone.is_set():
        connection.sendall(block)


def gzip_bomb(server: Hostile, connection: socket.socket) -> None:
    length = f"Content-Length: {len(bomb())}"
    connection.sendall(_head("200 OK", "Content-Encoding: gzip", length) + bomb())


@functools.cache
def bomb() -> bytes:
    """Return 100 MiB of spaces in 100 kB."""
    return gzip.compress(b" " * (100 << 20), 1)


def huge_json(server: Hostile, connection: socket.socket) -> None:
    body = b'{"experiment": "' + b"x" * (80 << 20) + b'"}'
    connection.sendall(_head("200 OK", f"Content-Length: {len(body)}") + body)


def deep_json(server: Hostile, connection: socket.socket) -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    connection.sendall(_head("200 OK", f"Content-Length: {len(body)}") + body)


def half_closed(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("200 OK", "Content-Length: 1000") + b'{"half')
    connection.shutdown(socket.SHUT_WR)
    server.gone.wait(_STEP_S)


def silent(server: Hostile, connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def not_http(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def html_login(server: Hostile, connection: socket.socket) -> None:
    body = b"<html><form>password</form></html>"
    connection.sendall(
        _head("200 OK", "Content-Type: text/html", f"Content-Length: {len(body)}") + body
    )


def page_not_found(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("404 Not Found", "Content-Length: 9") + b"<p>no</p>")


def redirected_writes(server: Hostile, connection: socket.socket) -> None:
    """Say that there is no experiment, and send whoever makes one elsewhere."""
    if server.n_requests % 2:  # a read, before and after
        body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}'
        connection.sendall(
            _head("404 Not Found", f"Content-Length: {len(body)}", "Connection: close") + body
        )
    else:
        connection.sendall(
            _head("301 Moved", "Location: https://other.example/x?token=1", "Content-Length: 0")
        )


def dripping_handshake(server: Hostile, connection: socket.socket) -> None:
    """Begin a TLS record of 16 kB and never end it."""
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
    while not server.gone.wait(_STEP_S):
        connection.sendall(b"\x00")


def other_json(server: Hostile, connection: socket.socket) -> None:
    body = b'["not", "an", "object"]'
    connection.sendall(_head("200 OK", f"Content-Length: {len(body)}") + body)


def busy_for_an_hour(server: Hostile, connection: socket.socket) -> None:
    connection.sendall(_head("503 Service Unavailable", "Retry-After: 3600", "Content-Length: 0"))
