"""A server that misbehaves by a seed: the same seed and request, the same harm."""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import Counter
from dataclasses import dataclass, field

HARMS = ("refuse", "hang", "reset", "half", "storm", "not_json", "html", "error")


@dataclass
class ChaosServer:
    """Speaks OpenAI's chat completions over bare sockets, in a thread of its own.

    A question's answer is the question; each attempt is harmed with the given chance.

    Args:
        seed: decides every harm.
        harm: the chance that an attempt is harmed, 0 to 1.

    Attributes:
        answered: how often each question was answered whole.
        harmed: how often each harm was done.
    """

    seed: int
    harm: float
    answered: Counter[str] = field(default_factory=Counter)
    harmed: Counter[str] = field(default_factory=Counter)
    url: str = ""

    def __post_init__(self) -> None:
        self._attempts: Counter[str] = Counter()
        self._storm_left = 0
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._listens = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._listens.wait(10)

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
        question = body["messages"][-1]["content"]
        harm = self._choose(question)
        if harm is not None:
            self.harmed[harm] += 1
            return await self._do_harm(harm, writer)
        message = {"role": "assistant", "content": question}
        usage = {"prompt_tokens": 7, "completion_tokens": 3}
        answer = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        self.answered[question] += 1
        return await self._write(writer, "200 OK", json.dumps(answer))

    def _choose(self, question: str) -> str | None:
        """Choose by seed, question and attempt, so that order does not matter but for storms."""
        if self._storm_left:
            self._storm_left -= 1
            return "storm"
        self._attempts[question] += 1
        chance = random.Random(f"{self.seed} {question} {self._attempts[question]}")
        if chance.random() >= self.harm:
            return None
        harm = chance.choice(HARMS)
        if harm == "storm" and chance.random() < 0.05:
            self._storm_left = 50
        return harm

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
        texts = {"not_json": '{"choices": [}', "html": "<html>busy</html>", "error": "{}"}
        status = "500 Internal Server Error" if harm == "error" else "200 OK"
        return await self._write(writer, status, texts[harm])

    async def _write(
        self, writer: asyncio.StreamWriter, status: str, text: str, headers: str = ""
    ) -> bool:
        content = text.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
        writer.write(head.encode() + content)
        await writer.drain()
        return True
