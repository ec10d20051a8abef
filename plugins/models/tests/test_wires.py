"""What holds for each maker's own API alike, by both HTTP clients."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from llmeval_models.anthropic.anthropic_provider import AnthropicProvider
from llmeval_models.gemini.gemini_provider import GeminiProvider
from llmeval_models.http.http_provider import HttpProvider
from llmeval_models.http.http_settings import HttpSettings
from llmeval_models.model_settings import (
    AnthropicSettings,
    GeminiSettings,
    OpenAIResponsesSettings,
)
from llmeval_models.openai_responses.responses_provider import OpenAIResponsesProvider
from pydantic import SecretStr

from llmeval_core.hooks import ModelError
from llmeval_core.testing import check_model, make_request

from .conftest import ScriptedServer

KEY = "sk-wire-12345"
TEAM = "team-blue"
WIRES: dict[str, tuple[Callable[[Any], HttpProvider], type[HttpSettings], dict[str, Any]]] = {
    "anthropic": (
        AnthropicProvider,
        AnthropicSettings,
        {"content": [{"type": "text", "text": "Paris"}], "stop_reason": "end_turn"},
    ),
    "gemini": (
        GeminiProvider,
        GeminiSettings,
        {"candidates": [{"content": {"parts": [{"text": "Paris"}]}, "finishReason": "STOP"}]},
    ),
    "openai_responses": (
        OpenAIResponsesProvider,
        OpenAIResponsesSettings,
        {"status": "completed", "output": [{"type": "message", "content": "Paris"}]},
    ),
}


def provider(name: str, server: ScriptedServer, **more: Any) -> HttpProvider:
    make, settings, _ = WIRES[name]
    given = {"base_url": server.base_url, "http": server.http, "api_key": SecretStr(KEY), **more}
    return make(settings.model_validate(given))


async def failure(made: HttpProvider) -> ModelError:
    model = await made.open("m")
    try:
        with pytest.raises(ModelError) as caught:
            await model.generate(make_request())
    finally:
        await model.aclose()
    return caught.value


@pytest.mark.parametrize("name", WIRES)
async def test_it_keeps_the_promises_of_a_provider(server: ScriptedServer, name: str) -> None:
    server.answers(WIRES[name][2])

    answers = await check_model(provider(name, server), "m")

    assert list(answers) == ["chat"]
    assert answers["chat"].texts == ("Paris",)
    assert answers["chat"].stop_reasons == ("stop",)


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 529])
async def test_no_secret_is_in_a_message(server: ScriptedServer, name: str, status: int) -> None:
    server.answers(f"you sent {KEY} for {TEAM}", status=status)

    error = await failure(provider(name, server, headers={"X-Team": SecretStr(TEAM)}))

    said = f"{error} {error!r} {error.__cause__!r}"
    assert KEY not in said
    assert TEAM not in said
    assert "you sent *** for ***" in error.what


@pytest.mark.parametrize("name", WIRES)
async def test_a_broken_connection_is_one(server: ScriptedServer, name: str) -> None:
    made = provider(name, server, base_url="http://127.0.0.1:9/v1")

    error = await failure(made)

    assert (error.kind, error.where) == ("connection", "http://127.0.0.1:9/v1")


@pytest.mark.parametrize("name", WIRES)
async def test_a_used_up_quota_is_told_with_the_answer(server: ScriptedServer, name: str) -> None:
    server.answers(
        WIRES[name][2], x_ratelimit_remaining_requests="0", x_ratelimit_reset_requests="7s"
    )
    model = await provider(name, server).open("m")

    generation = await model.generate(make_request())

    await model.aclose()
    assert generation.retry_after_s == 7.0


@pytest.mark.parametrize("name", WIRES)
async def test_it_travels_to_another_process(server: ScriptedServer, name: str) -> None:
    made = provider(name, server)

    copy = pickle.loads(pickle.dumps(made))

    assert copy.describe("m") == made.describe("m")
    assert copy.describe("m").endpoint is not None


def test_a_plan_knows_which_wire_gives_one_answer_to_a_request(server: ScriptedServer) -> None:
    lacking = {name: provider(name, server).describe("m").lacks for name in WIRES}

    assert lacking == {"anthropic": {"n"}, "gemini": set(), "openai_responses": {"n"}}
