"""A server of the tests' own that answers as each test wants, and the real small model."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest
from aiohttp import web
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.model_settings import LlamaCppSettings

from llmeval_core.hooks import GenerationSettings, Model, Request
from llmeval_core.testing import make_request

Http = Literal["asyncio", "aiohttp"]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def asking(**changes: Any) -> Request:
    """Make a request with these settings; Any: fields of GenerationSettings."""
    return replace(make_request(), settings=GenerationSettings(**{"max_tokens": 16, **changes}))


@dataclass
class ScriptedServer:
    """Where the server is, what it does next, and what it was asked.

    Any: JSON bodies.

    Attributes:
        http: the HTTP client to ask it with.
    """

    http: Http
    base_url: str = ""
    respond: Handler | None = None
    paths: list[str] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def answers(self, body: object, *, status: int = 200, **headers: str) -> None:
        """Answer everything with this: JSON, or a text as it is."""
        text = body if isinstance(body, str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def respond(request: web.Request) -> web.Response:
            return web.Response(text=text, status=status, headers=named)

        self.respond = respond


@pytest.fixture(params=["asyncio", "aiohttp"])
def http(request: pytest.FixtureRequest) -> Http:
    """Each HTTP client in turn: what a user notices is the same."""
    library: Http = request.param
    return library


@pytest.fixture
async def server(http: Http) -> AsyncIterator[ScriptedServer]:
    state = ScriptedServer(http)

    async def handle(request: web.Request) -> web.StreamResponse:
        state.paths.append(request.path)
        state.targets.append(request.path_qs)
        state.headers.append(dict(request.headers))
        text = await request.text()
        state.bodies.append(json.loads(text) if text else None)
        assert state.respond is not None
        return await state.respond(request)

    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    state.base_url = f"http://{host}:{port}/v1"
    yield state
    await runner.cleanup()


@pytest.fixture
async def smollm() -> AsyncIterator[Model]:
    """SmolLM2-135M-Instruct; fetched into the cache if it is not there."""
    provider = LlamaCppProvider(LlamaCppSettings(context_size=512, n_parallel=2))
    model = await provider.open("smollm2-135m-instruct")
    yield model
    await model.aclose()
