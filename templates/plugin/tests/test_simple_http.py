"""The model keeps every promise that the conformance checks know, whatever its server says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from llmeval_example_plugin.simple_http import SimpleHttpProvider, SimpleHttpSettings

from llmeval_core.hooks import Json, ModelError
from llmeval_core.testing import check_model, check_odd_answers, check_plugin, make_request

GOOD: dict[str, Json] = {"text": "Paris", "finish_reason": "stop"}


class Server(ThreadingHTTPServer):
    """Says what it is told to say, and keeps what it was asked; Any: JSON."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer: Any = GOOD
        self.headers: dict[str, str] = {}
        self.seen: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.seen.append(json.loads(self.rfile.read(length)))
        body = json.dumps(self.server.answer).encode()
        self.send_response(self.server.status)
        for name, value in {**self.server.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def provider(server: Server) -> SimpleHttpProvider:
    return SimpleHttpProvider(SimpleHttpSettings(base_url=server.url))


def test_the_plugin_is_well_formed() -> None:
    plugin = check_plugin("llmeval_example_plugin.simple_http")

    assert set(plugin.registered) == {"models"}


async def test_the_model_keeps_its_promises(server: Server) -> None:
    answers = await check_model(provider(server), "small")

    assert answers["chat"].text == "Paris"
    assert server.seen[0]["model"] == "small"


async def test_nothing_that_a_server_says_breaks_it(server: Server) -> None:
    model = await provider(server).open("small")
    request = make_request()

    async def ask(answer: Any) -> Any:
        server.answer = answer
        return await model.generate(request)

    assert await check_odd_answers(ask, GOOD, request=request) > 50


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "auth"), (404, "not_found"), (400, "bad_request"), (503, "overloaded")],
)
async def test_a_refusal_says_what_it_is(server: Server, status: int, kind: str) -> None:
    server.status = status
    model = await provider(server).open("small")

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    assert caught.value.kind == kind


async def test_the_wait_that_a_server_asks_for_is_told(server: Server) -> None:
    server.status, server.headers = 429, {"Retry-After": "7"}
    model = await provider(server).open("small")

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    assert (caught.value.kind, caught.value.retry_after_s) == ("rate_limit", 7.0)
