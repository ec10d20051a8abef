"""A judge in this process: answers by a function, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llmeval_core.hooks import Failure, Generation, Message, Question, UnansweredError

Answer = str | Generation | Failure


class ScriptedAsk:
    """Asks a function; as the engine, it asks equal questions of one role only once.

    Attributes:
        asked: every question that was new, with its role.
    """

    conversation: tuple[Message, ...] = ()
    follow_ups: tuple[Message, ...] = ()

    def __init__(self, answer: Callable[[Question, str], Answer]) -> None:
        self._answer = answer
        self._known: dict[tuple[str, str], Answer] = {}
        self.asked: list[tuple[Question, str]] = []

    async def __call__(self, question: Question, *, role: str = "model") -> Generation:
        key = (role, repr(question))
        if key not in self._known:
            self.asked.append((question, role))
            self._known[key] = self._answer(question, role)
        answer = self._known[key]
        if isinstance(answer, Failure):
            raise UnansweredError(answer, role)
        return Generation((answer,), finish_reason="stop") if isinstance(answer, str) else answer


@pytest.fixture
def scripted() -> type[ScriptedAsk]:
    return ScriptedAsk


@pytest.fixture
def verdict() -> Callable[..., str]:
    def written(label: Any, reason: str = "because") -> str:
        return json.dumps({"reason": reason, "verdict": label}, ensure_ascii=False)

    return written


def text_in(asked: str, title: str) -> str:
    """Take a text out of what a judge was asked."""
    return asked.split(f"===== {title} ")[1].split("=====\n")[1].split("\n=====", maxsplit=1)[0]


@pytest.fixture
def judge_server(verdict: Callable[..., str]) -> Iterator[str]:
    """A server that judges as OpenAI's API would: right is what equals the reference."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked = body["messages"][-1]["content"]
            said = verdict(
                "yes" if text_in(asked, "ANSWER") == text_in(asked, "REFERENCE") else "no",
                "compared",
            )
            answer = {
                "model": "judge-2026",
                "choices": [{"message": {"content": said}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1},
            }
            content = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
    thread.join()
