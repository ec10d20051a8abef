"""A loopback server over bare sockets, in a thread of its own, that can also misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
from abc import ABC, abstractmethod
from typing import Any

HARMS = ("refuse", "hang", "reset", "half", "storm", "not_json", "html", "error")
"""What may pass when it is tried again; besides, there is `bad_request`."""


class LoopbackServer(ABC):
    """Reads JSON requests; what becomes of each is said by `answer` of a subclass.

    Attributes:
        url: what an OpenAI client calls its base URL.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._listens = threading.Event()
        self.url = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._listens.wait(10)

    @abstractmethod
    async def answer(self, body: dict[str, Any]) -> tuple[str | None, Any]:
        """Return the harm that a request meets, or None and its answer; Any: JSON."""

    def close(self) -> None:
        """Stop serving, and end every connection."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self._server = self._loop.run_until_complete(serving)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self._listens.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client or the test is done with us
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request or harm it; False if the connection is done with."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        harm, answer = await self.answer(body)
        if harm is not None:
            return await self._do_harm(harm, writer)
        return await self._write(writer, "200 OK", json.dumps(answer))

    async def _do_harm(self, harm: str, writer: asyncio.StreamWriter) -> bool:
        if harm == "refuse":
            return False
        if harm == "hang":
            await asyncio.sleep(3600)
        if harm == "reset":
            writer.transport.abort()
            return False
        if harm == "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b'{"choices": [')
            await writer.drain()
            return False
        if harm == "storm":
            return await self._write(
                writer, "429 Too Many Requests", "{}", "Retry-After-Ms: 20\r\n"
            )
        texts = {"not_json": '{"choices": [}', "html": "<html>busy</html>"}
        statuses = {"error": "500 Internal Server Error", "bad_request": "400 Bad Request"}
        return await self._write(writer, statuses.get(harm, "200 OK"), texts.get(harm, "{}"))

    async def _write(
        self, writer: asyncio.StreamWriter, status: str, text: str, headers: str = ""
    ) -> bool:
        content = text.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        return True
