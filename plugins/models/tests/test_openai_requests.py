"""What is sent to an OpenAI-compatible server, and how its answers are read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from llmeval_models.model_settings import (
    OpenAICompatibleSettings,
    OpenAISettings,
    VllmSettings,
)
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from pydantic import SecretStr

from llmeval_core.hooks import Generation, GenerationSettings, Message, Request
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

CHOICE = {"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}
CHAT = {
    "model": "m-2026",
    "choices": [CHOICE],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1},
}


async def ask(server: ScriptedServer, request: Request, **settings: Any) -> Generation:
    provider = OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http, **settings)
    )
    model = await provider.open("org/m")
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


async def test_a_chat_answer_is_read_whole(server: ScriptedServer) -> None:
    server.answers(CHAT)

    generation = await ask(server, make_request())

    assert replace(generation, latency_s=0.0) == Generation(
        texts=("Paris",),
        finish_reason="stop",
        n_prompt_tokens=9,
        n_completion_tokens=1,
        served_by="m-2026",
        stop_reasons=("stop",),
    )
    assert 0 < generation.latency_s < 60


async def test_a_chat_request_has_what_the_settings_say(server: ScriptedServer) -> None:
    server.answers(CHAT | {"choices": [CHOICE, CHOICE]})
    settings = GenerationSettings(
        max_tokens=5, temperature=0.7, top_p=0.9, seed=3, stop=("\n",), n=2
    )
    messages = (Message("system", "s"), Message("user", "富士山"))
    request = replace(make_request(), settings=settings, messages=messages)

    await ask(server, request)

    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies == [
        {
            "model": "org/m",
            "max_tokens": 5,
            "temperature": 0.7,
            "top_p": 0.9,
            "seed": 3,
            "stop": ["\n"],
            "n": 2,
            "messages": [
                {"role": "system", "content": "s"},
                {"role": "user", "content": "富士山"},
            ],
        }
    ]


async def test_unset_settings_are_not_sent(server: ScriptedServer) -> None:
    server.answers(CHAT)
    request = replace(make_request(), settings=GenerationSettings(temperature=None))

    await ask(server, request)

    assert sorted(server.bodies[0]) == ["messages", "model"]


async def test_the_name_for_max_tokens_and_more_keys_can_be_set(server: ScriptedServer) -> None:
    server.answers(CHAT)

    await ask(
        server,
        make_request(),
        max_tokens_key="max_completion_tokens",
        extra_body={"reasoning_effort": "low", "temperature": 1},
    )

    body = server.bodies[0]
    assert body["max_completion_tokens"] == 16
    assert "max_tokens" not in body
    assert body["reasoning_effort"] == "low"
    assert body["temperature"] == 1


async def test_a_completion_goes_to_completions(server: ScriptedServer) -> None:
    server.answers({"choices": [{"index": 0, "text": " Paris", "finish_reason": "length"}]})

    generation = await ask(server, make_request("Capital of France:", mode="completion"))

    assert server.paths == ["/v1/completions"]
    assert server.bodies[0]["prompt"] == "Capital of France:"
    assert (generation.text, generation.finish_reason) == (" Paris", "length")
    assert generation.n_prompt_tokens is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        (None, ""),
        ([{"type": "text", "text": "Pa"}, {"type": "text", "text": "ris"}], "Paris"),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Paris"}], "Paris"),
    ],
)
async def test_content_may_be_empty_or_in_parts(
    server: ScriptedServer, content: object, text: str
) -> None:
    message = {"content": content, "reasoning_content": "I think"}
    server.answers({"choices": [{"message": message, "finish_reason": "stop"}]})

    generation = await ask(server, make_request())

    assert generation.texts == (text,)


async def test_key_and_headers_are_sent(server: ScriptedServer) -> None:
    server.answers(CHAT)

    await ask(
        server,
        make_request(),
        api_key=SecretStr("sk-12345"),
        headers={"X-Team": SecretStr("blue")},
    )

    sent = server.headers[0]
    assert sent["Authorization"] == "Bearer sk-12345"
    assert sent["X-Team"] == "blue"
    assert sent["Content-Type"] == "application/json"


async def test_no_key_sends_no_authorization(server: ScriptedServer) -> None:
    server.answers(CHAT)

    await ask(server, make_request())

    assert "Authorization" not in server.headers[0]


async def test_a_login_in_the_address_is_sent_as_such(server: ScriptedServer) -> None:
    server.answers(CHAT)
    provider = OpenAICompatibleProvider(
        OpenAICompatibleSettings(
            base_url=server.base_url.replace("http://", "http://ada:lovelace@"), http=server.http
        )
    )
    model = await provider.open("m")

    await model.generate(make_request())

    await model.aclose()
    assert server.headers[0]["Authorization"] == "Basic YWRhOmxvdmVsYWNl"


def test_the_identity_is_place_and_extra_keys_without_login() -> None:
    def identity(base_url: str, **extra: object) -> str:
        settings = OpenAICompatibleSettings(base_url=base_url, extra_body=dict(extra))
        return OpenAICompatibleProvider(settings).describe("m").cache_key

    assert identity("http://a:8000/v1") == identity("http://ada:lovelace@a:8000/v1/")
    assert identity("http://a:8000/v1") != identity("http://b:8000/v1")
    assert identity("http://a:8000/v1") != identity("http://a:8000/v1", top_k=1)


@pytest.mark.parametrize(
    ("settings", "modes"),
    [
        (OpenAICompatibleSettings(), {"chat", "completion"}),
        (
            OpenAICompatibleSettings(loglikelihood="echo"),
            {"chat", "completion", "loglikelihood", "rolling"},
        ),
        (OpenAISettings(), {"chat", "completion"}),
        (VllmSettings(), {"chat", "completion", "loglikelihood", "rolling"}),
    ],
)
def test_choices_are_scored_where_the_server_can(
    settings: OpenAICompatibleSettings, modes: set[str]
) -> None:
    info = OpenAICompatibleProvider(settings).describe("m")

    assert info.modes == modes
    assert info.max_concurrency is None
