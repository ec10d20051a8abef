"""The deadline of a call over HTTP, which the connections below MLflow's client see."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar


class CallBounds:
    """A deadline; when it passes, the sockets that the call uses are shut down.

    Args:
        deadline: on the monotonic clock.

    Attributes:
        is_over: whether the deadline has passed.
    """

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_over = False

    def left_s(self) -> float:
        """Return the time until the deadline, seconds; 0 after it."""
        return max(0.0, self._deadline - time.monotonic())

    def watch(self, used: socket.socket) -> None:
        """Shut this socket down at the deadline.

        A handle of our own is kept: TLS takes the socket's file descriptor away.
        """
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
        """Wake whoever reads or writes; may be called by another thread."""
        self.is_over = True
        with self._lock:
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


# State of a thread, not of the module: MLflow's client passes nothing on to the connections that it
# uses, so there is no other way to reach them.
_CALL_BOUNDS: ContextVar[CallBounds | None] = ContextVar("bounds of an HTTP call", default=None)


def current_bounds() -> CallBounds | None:
    """Return the bounds of this thread's call; None outside of `bounded`."""
    return _CALL_BOUNDS.get()


@contextlib.contextmanager
def bounded(deadline: float) -> Iterator[None]:
    """Bound the HTTP calls of this thread in the block; `deadline` is on the monotonic clock."""
    bounds = CallBounds(deadline)
    watchdog = threading.Timer(bounds.left_s(), bounds.end)
    watchdog.daemon = True
    watchdog.start()
    token = _CALL_BOUNDS.set(bounds)
    try:
        yield
    finally:
        _CALL_BOUNDS.reset(token)
        watchdog.cancel()
        bounds.close()
