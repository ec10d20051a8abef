"""Where requests go, with which query and key, and what the environment adds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from llmeval_models.http.endpoint import endpoint_of, key_header
from llmeval_models.model_settings import OpenAICompatibleSettings, OpenAISettings, VllmSettings
from llmeval_models.openai.completion_request import reasoning_as
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider, OpenAIProvider
from pydantic import SecretStr, ValidationError

from llmeval_core.hooks import ConfigError, GenerationSettings, ModelError, Reasoning, Request
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

CHAT = {"choices": [{"message": {"content": "Paris"}, "finish_reason": "stop"}]}
AZURE = "https://x.openai.azure.com/openai/deployments/gpt"


def asking(settings: GenerationSettings) -> Request:
    return replace(make_request(), settings=settings)


@pytest.fixture(autouse=True)
def _no_openai_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASE_URL", "API_KEY", "ORG_ID", "PROJECT_ID"):
        monkeypatch.delenv(f"OPENAI_{name}", raising=False)


@pytest.mark.parametrize(
    ("base_url", "query", "expected"),
    [
        ("http://a/v1", {}, "http://a/v1/chat/completions"),
        ("http://a/v1/", {}, "http://a/v1/chat/completions"),
        ("http://a/v1?b=c", {}, "http://a/v1/chat/completions?b=c"),
        ("http://a/v1/?b=c#d", {}, "http://a/v1/chat/completions?b=c"),
        (
            f"{AZURE}?api-version=2024-06-01",
            {},
            f"{AZURE}/chat/completions?api-version=2024-06-01",
        ),
        (
            "http://a/v1",
            {"api-version": date(2024, 6, 1)},
            "http://a/v1/chat/completions?api-version=2024-06-01",
        ),
        ("http://a/v1?b=c", {"b": "d", "n": 1}, "http://a/v1/chat/completions?b=d&n=1"),
        ("http://u:p@a/v1?b=", {}, "http://a/v1/chat/completions?b="),
        ("http://a/v1", {"q": "ü &?"}, "http://a/v1/chat/completions?q=%C3%BC+%26%3F"),
    ],
)
def test_the_query_stays_at_the_end(base_url: str, query: dict[str, Any], expected: str) -> None:
    """s09-azure-query-in-base-url."""
    endpoint = endpoint_of(OpenAICompatibleSettings(base_url=base_url, query=query))

    assert endpoint.at("/chat/completions") == expected


def test_the_servers_root_has_the_query_too() -> None:
    endpoint = endpoint_of(OpenAICompatibleSettings(base_url="http://a/v1?b=c"))

    assert endpoint.at("/tokenize", at_root=True) == "http://a/tokenize?b=c"


async def test_azure_is_asked_with_version_and_key(server: ScriptedServer) -> None:
    """s09-azure-query-in-base-url."""
    server.answers(CHAT)
    settings = OpenAICompatibleSettings(
        base_url=f"{server.base_url}/deployments/gpt?api-version=2024-06-01",
        api_key=SecretStr("sekret"),
        api_key_header="api-key",
        http=server.http,
    )
    model = await OpenAICompatibleProvider(settings).open("m")

    await model.generate(make_request())

    await model.aclose()
    assert server.targets == ["/v1/deployments/gpt/chat/completions?api-version=2024-06-01"]
    assert server.headers[0]["api-key"] == "sekret"
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (OpenAICompatibleSettings(), "Authorization"),
        (OpenAICompatibleSettings(base_url=AZURE), "api-key"),
        (OpenAICompatibleSettings(base_url=AZURE, api_key_header="Authorization"), "Authorization"),
        (OpenAICompatibleSettings(api_key_header="x-api-key"), "x-api-key"),
    ],
)
def test_azure_has_a_header_of_its_own_for_the_key(
    settings: OpenAICompatibleSettings, expected: str
) -> None:
    assert key_header(settings) == expected


def identity(**settings: Any) -> str:
    return OpenAICompatibleProvider(OpenAICompatibleSettings(**settings)).describe("m").cache_key


def test_the_query_is_part_of_the_identity_and_keys_in_it_are_not() -> None:
    plain = identity(base_url="http://a/v1")
    version = identity(base_url="http://a/v1?v=1")

    assert plain != version
    assert version == identity(base_url="http://a/v1", query={"v": 1})
    assert version == identity(base_url="http://a/v1?v=1&key=sk-1")
    assert plain == identity(base_url="http://a/v1?api_key=sk-1")


def test_the_identity_of_version_0_1_stays() -> None:
    assert identity(base_url="http://a:8000/v1") == "1de56a445ef70cb3b6da530be6da08a5"


async def test_a_key_in_the_query_is_never_in_a_message(server: ScriptedServer) -> None:
    server.answers("you sent sk-in-query", status=400)
    settings = OpenAICompatibleSettings(base_url=server.base_url, query={"key": "sk-in-query"})
    model = await OpenAICompatibleProvider(settings).open("m")

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    await model.aclose()
    assert "sk-in-query" not in str(caught.value)


async def test_openai_is_asked_where_the_environment_says(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """s16-base-url-from-environment."""
    server.answers(CHAT)
    monkeypatch.setenv("OPENAI_BASE_URL", f" {server.base_url}\n")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    model = await OpenAIProvider(OpenAISettings(http=server.http)).open("m")

    await model.generate(make_request())

    await model.aclose()
    sent = server.headers[0]
    assert server.paths == ["/v1/chat/completions"]
    assert sent["Authorization"] == "Bearer k"
    assert (sent["OpenAI-Organization"], sent["OpenAI-Project"]) == ("org-1", "proj-1")


async def test_what_is_set_goes_before_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """s16-base-url-from-environment."""
    server.answers(CHAT)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    settings = OpenAISettings(
        base_url=server.base_url,
        api_key=SecretStr("mine"),
        organization="org-2",
        headers={"openai-project": SecretStr("proj-2")},
        http=server.http,
    )
    model = await OpenAIProvider(settings).open("m")

    await model.generate(make_request())

    await model.aclose()
    sent = server.headers[0]
    assert sent["Authorization"] == "Bearer mine"
    assert (sent["OpenAI-Organization"], sent["openai-project"]) == ("org-2", "proj-2")


def test_the_address_from_the_environment_is_part_of_the_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """s16-base-url-from-environment."""
    before = OpenAIProvider(OpenAISettings()).describe("m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway/v1")

    from_environment = OpenAIProvider(OpenAISettings()).describe("m")
    as_setting = OpenAIProvider(OpenAISettings(base_url="http://gateway/v1")).describe("m")

    assert from_environment == as_setting
    assert from_environment.cache_key != before.cache_key
    assert from_environment.endpoint != before.endpoint


def test_an_address_that_is_none_is_told_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "gateway:8000/v1")

    with pytest.raises(ConfigError) as caught:
        OpenAIProvider(OpenAISettings()).describe("m")

    assert str(caught.value) == (
        "OPENAI_BASE_URL is no address: an address begins with http:// or https://, such as "
        "http://gateway:8000/v1\n"
        "  try:   set it right, or set `base_url`"
    )


def test_other_servers_do_not_heed_openais_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    before = OpenAICompatibleProvider(OpenAICompatibleSettings()).describe("m")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://gateway/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    assert OpenAICompatibleProvider(OpenAICompatibleSettings()).describe("m") == before


THINK = Reasoning("low", 512)


@pytest.mark.parametrize(
    ("written_as", "reasoning", "expected"),
    [
        ("auto", Reasoning("low"), {"reasoning_effort": "low"}),
        ("openai", Reasoning("none"), {"reasoning_effort": "none"}),
        ("vllm", THINK, {"reasoning_effort": "low", "thinking_token_budget": 512}),
        ("openrouter", THINK, {"reasoning": {"effort": "low", "max_tokens": 512}}),
        ("openrouter", Reasoning("high"), {"reasoning": {"effort": "high"}}),
        (
            "anthropic",
            Reasoning(None, 2048),
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        ("anthropic", Reasoning(None, 0), {"thinking": {"type": "disabled"}}),
        ("qwen", Reasoning(None, 0), {"enable_thinking": False, "thinking_budget": 0}),
        (
            "gemini",
            Reasoning(None, 64),
            {"extra_body": {"google": {"thinking_config": {"thinking_budget": 64}}}},
        ),
    ],
)
async def test_how_much_is_thought_is_written_as_the_server_wants(
    server: ScriptedServer, written_as: Any, reasoning: Reasoning, expected: dict[str, Any]
) -> None:
    server.answers(CHAT)
    settings = OpenAICompatibleSettings(
        base_url=server.base_url, http=server.http, reasoning_as=written_as
    )
    model = await OpenAICompatibleProvider(settings).open("m")

    await model.generate(asking(GenerationSettings(reasoning=reasoning)))

    await model.aclose()
    assert server.bodies[0] == {
        "model": "m",
        "temperature": 0.0,
        "messages": server.bodies[0]["messages"],
        **expected,
    }


async def test_a_budget_of_thought_that_a_server_has_no_word_for_fails(
    server: ScriptedServer,
) -> None:
    model = await OpenAICompatibleProvider(OpenAICompatibleSettings(base_url=server.base_url)).open(
        "m"
    )

    with pytest.raises(ModelError) as caught:
        await model.generate(asking(GenerationSettings(reasoning=THINK)))

    await model.aclose()
    assert str(caught.value) == (
        "this server has no word for `reasoning.budget`\n"
        "  try:   give `reasoning: {effort: ...}`, or say with `reasoning_as` which server it is"
    )
    assert server.bodies == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (OpenAICompatibleSettings(), "openai"),
        (VllmSettings(), "vllm"),
        (OpenAICompatibleSettings(base_url="https://openrouter.ai/api/v1"), "openrouter"),
        (OpenAICompatibleSettings(base_url="https://api.anthropic.com/v1"), "anthropic"),
        (
            OpenAICompatibleSettings(
                base_url="https://generativelanguage.googleapis.com/v1beta/openai"
            ),
            "gemini",
        ),
        (
            OpenAICompatibleSettings(base_url="https://dashscope.aliyuncs.com/compatible-mode/v1"),
            "qwen",
        ),
        (
            OpenAICompatibleSettings(
                base_url="https://openrouter.ai/api/v1", reasoning_as="openai"
            ),
            "openai",
        ),
    ],
)
def test_known_hosts_are_known(settings: OpenAICompatibleSettings, expected: str) -> None:
    assert reasoning_as(settings) == expected


async def test_keys_of_the_task_are_laid_over_those_of_the_model(server: ScriptedServer) -> None:
    server.answers(CHAT)
    settings = OpenAICompatibleSettings(
        base_url=server.base_url, http=server.http, extra_body={"top_k": 1, "min_p": 0.1}
    )
    model = await OpenAICompatibleProvider(settings).open("m")

    generation = GenerationSettings(extra_body={"top_k": 5, "x": None})
    await model.generate(asking(generation))

    await model.aclose()
    body = server.bodies[0]
    assert (body["top_k"], body["min_p"], body["x"]) == (5, 0.1, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("127.0.0.1:8000/v1", "such as http://127.0.0.1:8000/v1"),
        ("localhost:8000/v1", "such as http://localhost:8000/v1"),
        ("htp://host/v1", "such as http://host/v1"),
        ("http:///v1", "names a host, such as http://HOST:PORT/v1"),
        ("http://", "names a host, such as http://HOST:PORT/v1"),
        ("https://:8000/v1", "names a host"),
        ("http://localhost:abc/v1", "a port is a number from 1 to 65535"),
        ("http://localhost:99999/v1", "a port is a number from 1 to 65535"),
        ("http://localhost:-1/v1", "a port is a number from 1 to 65535"),
        ("http://localhost:0/v1", "a port is a number from 1 to 65535"),
        ("http://[::1/v1", r"IPv6 is written http://\[::1\]:PORT/v1"),
        ("", "such as http://HOST:PORT/v1"),
        ("http://a b/v1", "no space"),
    ],
)
def test_what_is_no_address_is_refused_with_the_cure(given: str, said: str) -> None:
    """s09-azure-query-in-base-url, of its kind."""
    with pytest.raises(ValidationError, match=said):
        OpenAICompatibleSettings(base_url=given)


@pytest.mark.parametrize("settings", [OpenAICompatibleSettings, OpenAISettings, VllmSettings])
def test_each_provider_and_its_proxy_refuse_a_port_that_is_none(
    settings: type[OpenAICompatibleSettings],
) -> None:
    for key in ("base_url", "proxy"):
        with pytest.raises(ValidationError, match="a port is a number from 1 to 65535"):
            settings.model_validate({key: "http://host:99999/v1"})


def test_what_is_repeated_of_an_address_has_no_login_and_no_query() -> None:
    with pytest.raises(ValidationError, match="such as http://host/v1") as caught:
        OpenAICompatibleSettings(base_url="htp://me:pass-word@host/v1?key=pass-word")

    assert "pass-word" not in caught.value.errors(include_input=False)[0]["msg"]


def test_the_scheme_of_an_address_may_be_written_in_capitals() -> None:
    assert OpenAICompatibleSettings(base_url="HTTP://Host/v1").base_url == "http://Host/v1"


def test_spaces_around_an_address_are_cut() -> None:
    assert OpenAICompatibleSettings(base_url=" http://host/v1 \n").base_url == "http://host/v1"
