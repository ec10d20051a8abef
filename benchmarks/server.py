"""A load server: speaks enough of the OpenAI API to be asked, and costs next to nothing.

Every chat completion and completion gets the same answer. `GET /stats` tells how many requests
came and when; `POST /reset` forgets them. It reads one header, `Content-Length`, and never looks
at a body. Run `python -m benchmarks.server --port 0`: it prints the port it got.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import resource
import time
from collections import deque
from dataclasses import dataclass

ANSWER = "Paris"
_USAGE = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}
_COMMON = {"id": "load-1", "created": 1700000000, "model": "load", "usage": _USAGE}
_MOST_BUFFERED_BYTES = 64 * 2**20


@dataclass(slots=True)
class Stats:
    """What came in: when the first request came and when the last answer left, since 1970."""

    n_requests: int = 0
    first_at: float | None = None
    last_at: float | None = None


class LoadServer:
    """The answers, ready to be written, and what came in.

    Args:
        latency_s: how long each answer takes, seconds.
    """

    def __init__(self, *, latency_s: float = 0.0) -> None:
        self.latency_s = latency_s
        self.stats = Stats()
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "finish_reason": "stop"}
        self.chat = _response(
            {**_COMMON, "object": "chat.completion", "choices": [{**choice, "message": message}]}
        )
        self.completion = _response(
            {**_COMMON, "object": "text_completion", "choices": [{**choice, "text": ANSWER}]}
        )

    def stats_response(self) -> bytes:
        """Write the stats, with the CPU time of this process, as a response."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        stats = self.stats
        return _response(
            {
                "n_requests": stats.n_requests,
                "first_at": stats.first_at,
                "last_at": stats.last_at,
                "cpu_s": usage.ru_utime + usage.ru_stime,
            }
        )


class LoadConnection(asyncio.Protocol):
    """One keep-alive connection; pipelined requests are answered in their order."""

    def __init__(self, server: LoadServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._late: deque[bytes] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport; answers that are still due are dropped."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete by now."""
        received = self._received + data if self._received else data
        while True:
            head_end = received.find(b"\r\n\r\n")
            if head_end < 0:
                break
            end = head_end + 4 + _content_length(received, head_end)
            if len(received) < end:
                break
            self._answer(received[: received.find(b"\r\n")])
            received = received[end:]
        if len(received) > _MOST_BUFFERED_BYTES and self._transport is not None:
            self._transport.close()
        self._received = received

    def _answer(self, request_line: bytes) -> None:
        server = self._server
        if b"completions" not in request_line:
            self._write(self._other(request_line))
            return
        stats = server.stats
        stats.n_requests += 1
        if stats.first_at is None:
            stats.first_at = time.time()
        response = server.chat if b"/chat/" in request_line else server.completion
        if server.latency_s:
            self._late.append(response)
            asyncio.get_running_loop().call_later(server.latency_s, self._write_late)
        else:
            self._write_answer(response)

    def _other(self, request_line: bytes) -> bytes:
        """Answer what is not a completion: the stats, or the list of models for any other path."""
        if b"/reset" in request_line:
            self._server.stats = Stats()
        if b"/reset" in request_line or b"/stats" in request_line:
            return self._server.stats_response()
        return _response({"object": "list", "data": [{"id": "load", "object": "model"}]})

    def _write_late(self) -> None:
        self._write_answer(self._late.popleft())

    def _write_answer(self, response: bytes) -> None:
        self._server.stats.last_at = time.time()
        self._write(response)

    def _write(self, response: bytes) -> None:
        if self._transport is not None:
            self._transport.write(response)


def _content_length(received: bytes, head_end: int) -> int:
    """Read the body's length from the header block; 0 if it is not given."""
    at = received.find(b"Content-Length:", 0, head_end)
    if at < 0:
        at = received[:head_end].lower().find(b"content-length:")
    if at < 0:
        return 0
    line_end = received.find(b"\r\n", at, head_end)
    return int(received[at + 15 : line_end if line_end >= 0 else head_end])


def _response(body: object) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n"
    return f"{head}\r\n".encode() + text


async def serve(*, port: int, latency_s: float) -> None:
    """Serve on the loopback interface until the process is ended; prints the port."""
    state = LoadServer(latency_s=latency_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: LoadConnection(state), "127.0.0.1", port, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await server.serve_forever()


def main() -> None:
    """Read the flags and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long an answer takes")
    flags = parser.parse_args()
    asyncio.run(serve(port=flags.port, latency_s=flags.latency_ms / 1000))


if __name__ == "__main__":
    main()
