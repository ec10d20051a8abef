"""Every way a server can fail, as the user reads it."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from llmeval_models.model_settings import OpenAICompatibleSettings, OpenAISettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider, OpenAIProvider
from pydantic import SecretStr

from llmeval_core.hooks import GenerationSettings, ModelError
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

KEY = "sk-very-secret-1"


async def failure(server: ScriptedServer, *, n: int = 1, **settings: Any) -> ModelError:
    """Ask once and return the error; Any: settings."""
    settings = {
        "base_url": server.base_url,
        "http": server.http,
        "api_key": SecretStr(KEY),
        **settings,
    }
    model = await OpenAICompatibleProvider(OpenAICompatibleSettings(**settings)).open("m")
    request = make_request()
    if n > 1:
        request = replace(request, settings=GenerationSettings(n=n))
    try:
        with pytest.raises(ModelError) as caught:
            await model.generate(request)
    finally:
        await model.aclose()
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}},
            (
                "auth",
                "HTTP 401: Incorrect API key provided",
                "is api_key set, valid, and for this server?",
            ),
        ),
        (
            403,
            "",
            (
                "auth",
                "HTTP 403: no reason given",
                "is api_key set, valid, and for this server?",
            ),
        ),
        (
            404,
            {"error": {"message": "model 'm' not found"}},
            (
                "not_found",
                "HTTP 404: model 'm' not found",
                "check the model's name and base_url",
            ),
        ),
        (
            400,
            {"error": {"message": "temperature must be positive", "code": None}},
            (
                "bad_request",
                "HTTP 400: temperature must be positive",
                None,
            ),
        ),
        (
            400,
            {"error": {"message": "too many tokens", "code": "context_length_exceeded"}},
            (
                "context_too_long",
                "HTTP 400: too many tokens",
                "shorten the prompt, lower max_tokens, or serve a longer context",
            ),
        ),
        (
            400,
            {"message": "This model's maximum context length is 4096 tokens."},
            (
                "context_too_long",
                "HTTP 400: This model's maximum context length is 4096 tokens.",
                "shorten the prompt, lower max_tokens, or serve a longer context",
            ),
        ),
        (
            400,
            {
                "error": {
                    "code": 400,
                    "message": "request (2050 tokens) exceeds the available context size",
                    "type": "exceed_context_size_error",
                }
            },
            (
                "context_too_long",
                "HTTP 400: request (2050 tokens) exceeds the available context size",
                "shorten the prompt, lower max_tokens, or serve a longer context",
            ),
        ),
        (
            429,
            {"error": "slow down"},
            (
                "rate_limit",
                "HTTP 429: slow down",
                "lower the concurrency",
            ),
        ),
        (
            429,
            {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}},
            (
                "auth",
                "HTTP 429: You exceeded your quota",
                "the account has no credit left, or its budget is used up",
            ),
        ),
        *(
            (
                status,
                "<html><h1>Bad\n gateway</h1>",
                (
                    "overloaded",
                    f"HTTP {status}: <html><h1>Bad gateway</h1>",
                    "lower the concurrency, or try again later",
                ),
            )
            for status in (500, 502, 503, 504, 529)
        ),
    ],
)
async def test_a_status_tells_the_kind(
    server: ScriptedServer, status: int, body: object, expected: tuple[str, str, str | None]
) -> None:
    server.answers(body, status=status)

    error = await failure(server)

    assert (error.kind, error.what, error.hint) == expected
    assert error.where == server.base_url


async def test_retry_after_is_passed_on(server: ScriptedServer) -> None:
    server.answers({"error": "slow down"}, status=429, Retry_After="7")

    error = await failure(server)

    assert error.retry_after_s == 7.0


async def test_a_redirect_is_shown_not_followed(server: ScriptedServer) -> None:
    server.answers("", status=308, Location="https://new.example/v1")

    error = await failure(server)

    assert str(error) == (
        "HTTP 308: the server redirects to https://new.example/v1\n"
        f"  where: {server.base_url}\n"
        "  try:   set base_url to the address that it redirects to"
    )
    assert error.kind == "not_found"


async def test_a_refused_connection(server: ScriptedServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"

        error = await failure(server, base_url=url)

    assert error.kind == "connection"
    assert str(error) == (
        "no connection to the server: Connection refused\n"
        f"  where: {url}\n"
        "  try:   is it running, and is base_url right?"
    )


async def test_a_host_that_does_not_exist(server: ScriptedServer) -> None:
    error = await failure(server, base_url="http://no-such-host.invalid/v1")

    assert error.kind == "connection"
    assert error.what.startswith("no connection to the server: ")


async def test_a_connection_that_breaks(server: ScriptedServer) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.respond = hang_up

    error = await failure(server)

    assert error.kind == "connection"


async def test_an_answer_that_breaks_off(server: ScriptedServer) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"choices"')
        assert request.transport is not None
        request.transport.abort()
        return response

    server.respond = half

    error = await failure(server)

    assert error.kind == "connection"


async def test_no_connection_in_time(server: ScriptedServer) -> None:
    # A listening socket whose queue is full accepts no further connection.
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)  # noqa: FBT003  it takes no keyword
            client.connect_ex(full.getsockname())

        error = await failure(server, base_url=url, connect_timeout_s=0.1)

        for client in waiting:
            client.close()
    assert error.kind == "timeout"
    assert str(error) == f"the server did not accept a connection in time\n  where: {url}"


async def test_a_hang_ends_with_the_engine_s_patience(server: ScriptedServer) -> None:
    never = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    server.respond = hang
    model = await OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http)
    ).open("m")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await model.generate(make_request())

    await model.aclose()
    never.set()


async def test_html_with_status_200(server: ScriptedServer) -> None:
    server.answers("<!DOCTYPE html><title>Log in</title>")

    error = await failure(server)

    assert error.kind == "malformed"
    assert str(error) == (
        "the answer is not JSON: '<!DOCTYPE html><title>Log in</title>'\n"
        f"  where: {server.base_url}\n"
        "  try:   is base_url the address of an API? for most servers it ends in /v1"
    )


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"id": 1, "object": "x"}, "the answer has no choices, only: id, object"),
        ({"choices": []}, "the answer has an empty list of choices"),
        ({"choices": [{"index": 0}]}, "a choice has no message and no text"),
        ([1], "the answer has no choices, only: list"),
    ],
)
async def test_json_that_is_no_answer(server: ScriptedServer, body: object, what: str) -> None:
    server.answers(body)

    error = await failure(server)

    assert (error.kind, error.what) == ("malformed", what)


async def test_an_error_with_status_200(server: ScriptedServer) -> None:
    server.answers({"error": {"code": 429, "message": "slow down"}})

    error = await failure(server)

    assert (error.kind, error.what) == ("rate_limit", "HTTP 200 with error 429 inside: slow down")


async def test_fewer_answers_than_asked_for(server: ScriptedServer) -> None:
    server.answers({"choices": [{"message": {"content": "x"}}]})

    error = await failure(server, n=3)

    assert error.kind == "bad_request"
    assert error.what == "asked for 3 answers, got 1"


@pytest.mark.parametrize("status", [200, 400, 401, 500])
async def test_the_key_is_never_in_a_message(server: ScriptedServer, status: int) -> None:
    server.answers(f"you sent {KEY} and team-blue", status=status)
    url = server.base_url.replace("http://", "http://user:pass-word@")

    error = await failure(server, base_url=url, headers={"X-Team": SecretStr("team-blue")})

    said = f"{error} {error!r} {error.__cause__!r}"
    assert "you sent *** and ***" in error.what
    assert KEY not in str(error)
    assert "team-blue" not in said
    assert "pass-word" not in str(error)


async def test_openai_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(ModelError) as caught:
        await OpenAIProvider(OpenAISettings()).open("gpt-4o-mini")

    assert caught.value.kind == "auth"
    assert str(caught.value) == (
        "OPENAI_API_KEY is not set\n  try:   export OPENAI_API_KEY=... or set api_key"
    )


async def test_openai_takes_the_key_from_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {KEY}\n")
    server.answers({"choices": [{"message": {"content": "x"}}]})
    model = await OpenAIProvider(OpenAISettings(base_url=server.base_url, http=server.http)).open(
        "gpt"
    )

    await model.generate(make_request())

    await model.aclose()
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert server.bodies[0]["max_completion_tokens"] == 16


def test_a_missing_key_is_known_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    with pytest.raises(ModelError, match="OPENAI_API_KEY is not set"):
        OpenAIProvider(OpenAISettings()).check("gpt-4o-mini")
    with pytest.raises(ModelError, match="characters that HTTP does not carry"):
        OpenAICompatibleProvider(OpenAICompatibleSettings(api_key=SecretStr("ＫＥＹ"))).check("m")


def test_a_key_that_is_there_is_enough() -> None:
    settings = OpenAISettings(api_key=SecretStr(KEY))

    assert OpenAIProvider(settings).check("gpt-4o-mini").notes == ()


async def test_a_limit_of_open_files_is_not_taken_for_a_server_that_is_away(
    server: ScriptedServer,
) -> None:
    server.answers({})
    known = resource.getrlimit(resource.RLIMIT_NOFILE)
    model = await OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http)
    ).open("m")
    first_free = os.open(os.devnull, os.O_RDONLY)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, known[1]))

    try:
        with pytest.raises(ModelError) as caught:
            await model.generate(make_request())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, known)
        await model.aclose()

    assert caught.value.what == "no connection to the server: Too many open files"
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("raise the limit of open files (`ulimit -n 4096`)")
