"""What a model refuses to be told: found out once, left out from then on, and said."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from llmeval_models.http.error_body import read_error
from llmeval_models.http.unsupported_parameters import (
    UnsupportedParameterError,
    UnsupportedParameters,
    asked_without,
    unsupported_parameters,
)
from llmeval_models.model_settings import OpenAICompatibleSettings, OpenAISettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider, OpenAIProvider
from pydantic import SecretStr

from llmeval_core.hooks import Generation, GenerationSettings, Model, ModelError, StopReason
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

CHAT = {"choices": [{"message": {"content": "Paris\n\nQ: next"}, "finish_reason": "stop"}]}
SETTINGS = GenerationSettings(
    max_tokens=16, temperature=0.0, top_p=0.5, seed=1, stop=("\n\n", "Q:")
)
REQUEST = replace(make_request(), settings=SETTINGS)


def refused(body: object, status: int = 400) -> set[str]:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return set(unsupported_parameters(status, read_error(content)))


def told(message: str, **more: object) -> dict[str, object]:
    return {"error": {"message": message, **more}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            told(
                "Unsupported value: 'temperature' does not support 0 with this model. Only the"
                " default (1) value is supported.",
                param="temperature",
                code="unsupported_value",
            ),
            {"temperature"},
        ),
        (told("Unsupported parameter: 'stop' is not supported with this model."), {"stop"}),
        (told("temperature: Input should be equal to 1"), {"temperature"}),
        (told("参数 temperature 不支持"), {"temperature"}),
        (told("max_tokens is deprecated in favor of max_completion_tokens"), {"max_tokens"}),
        (
            told(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
                " 'max_completion_tokens' instead."
            ),
            {"max_tokens"},
        ),
        (
            told("Unrecognized request argument supplied: max_completion_tokens"),
            {"max_completion_tokens"},
        ),
        (told("Unrecognized request arguments supplied: seed, top_p"), {"seed", "top_p"}),
        (told("Argument not supported on this model: stop"), {"stop"}),
        (told("Model grok-4 does not support parameter stop."), {"stop"}),
        (told("`temperature` is deprecated for this model."), {"temperature"}),
        (told("`temperature` may only be set to 1 when thinking is enabled."), {"temperature"}),
        (
            told("`temperature` and `top_p` cannot both be specified for this model."),
            {"temperature", "top_p"},
        ),
        (
            [
                {
                    "error": {
                        "message": 'Invalid JSON payload. Unknown name "seed": Cannot find field.'
                    }
                }
            ],
            {"seed"},
        ),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs"}
                ]
            },
            {"seed"},
        ),
        (told("property 'seed' is unsupported"), {"seed"}),
        (told("Extra inputs are not permitted, field: 'stop'"), {"stop"}),
        (told("extraneous key [temperature] is not permitted"), {"temperature"}),
        (
            told("gpt-5 models don't support temperature=0. Only temperature=1 is supported."),
            {"temperature"},
        ),
        (told("`temperature` must be strictly positive"), {"temperature"}),
        (
            told(
                "Provider returned error",
                metadata={"raw": json.dumps(told("Unsupported parameter: 'top_p'", param="top_p"))},
            ),
            {"top_p"},
        ),
        # What is wrong otherwise stays an error.
        (told("temperature must be positive", param="temperature"), set()),
        (told("max_tokens is too large: 99999. This model supports at most 4096"), set()),
        (told("Invalid value: 'stop' must have at most 4 items", param="stop"), set()),
        (told("Unsupported value: 'messages[0].role' does not support 'system'"), set()),
        (told("I cannot stop; this is not supported"), set()),
        (told("Unsupported parameter: 'logprobs'", param="logprobs"), set()),
        (told("Unsupported parameter: 'n'", param="n"), set()),
        ("temperature", set()),
    ],
)
def test_a_refusal_names_what_it_refuses(body: object, expected: set[str]) -> None:
    """s01-temperature-cannot-be-left-out."""
    assert refused(body) == expected


def test_only_a_bad_request_can_refuse_a_parameter() -> None:
    body = told("Unsupported parameter: 'stop'", param="stop")

    assert refused(body, 422) == {"stop"}
    assert not any(refused(body, status) for status in (401, 403, 404, 429, 500))


def strict(*names: str, renames: bool = False) -> Any:
    """Answer as a reasoning model that refuses these keys, one at a time; Any: a handler."""

    async def respond(request: web.Request) -> web.Response:
        body = await request.json()
        await asyncio.sleep(0.01)
        for name in names:
            if name in body:
                instead = " Use 'max_completion_tokens' instead." if renames else ""
                said = f"Unsupported parameter: '{name}' is not supported with this model.{instead}"
                return web.json_response(told(said, param=name), status=400)
        return web.json_response(CHAT)

    return respond


async def open_model(server: ScriptedServer, **settings: Any) -> Model:
    given = OpenAICompatibleSettings(base_url=server.base_url, http=server.http, **settings)
    return await OpenAICompatibleProvider(given).open("m")


async def test_a_request_is_sent_again_at_once_without_what_is_refused(
    server: ScriptedServer,
) -> None:
    """s01-temperature-cannot-be-left-out."""
    server.respond = strict("temperature", "top_p", "stop", "seed")
    model = await open_model(server)

    first = await model.generate(REQUEST)
    second = await model.generate(REQUEST)

    await model.aclose()
    assert len(server.bodies) == 5 + 1
    assert set(server.bodies[-1]) == {"model", "max_tokens", "messages"}
    assert first.not_sent == second.not_sent == ("temperature", "top_p", "seed", "stop")


async def test_where_stop_is_refused_the_answer_ends_there_all_the_same(
    server: ScriptedServer,
) -> None:
    server.respond = strict("stop")
    model = await open_model(server)

    generation = await model.generate(REQUEST)

    await model.aclose()
    assert generation.text == "Paris"


@pytest.mark.parametrize(
    ("text", "reason", "expected"),
    [
        ("Paris\n\nQ: next", "length", ("Paris", "stop")),
        ("Paris", "length", ("Paris", "length")),
        ("<think>a\n\nb</think>Paris\n\nQ:", "length", ("<think>a\n\nb</think>Paris", "stop")),
    ],
)
def test_an_answer_that_is_cut_at_a_stop_text_is_whole(
    text: str, reason: StopReason, expected: tuple[str, str]
) -> None:
    generation = asked_without(
        Generation((text,), stop_reasons=(reason,)), ("stop",), ("\n\n", "Q:")
    )

    assert (generation.text, *generation.stop_reasons) == expected


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("max_tokens", "max_completion_tokens"),
        ("max_completion_tokens", "max_tokens"),
    ],
)
async def test_max_tokens_is_called_by_its_other_name(
    server: ScriptedServer, key: str, other: str
) -> None:
    server.respond = strict(key, renames=key == "max_tokens")
    model = await open_model(server, max_tokens_key=key)

    generation = await model.generate(REQUEST)

    await model.aclose()
    assert server.bodies[-1][other] == 16
    assert key not in server.bodies[-1]
    assert generation.not_sent == ()


async def test_many_requests_that_are_refused_at_once_are_all_answered(
    server: ScriptedServer,
) -> None:
    server.respond = strict("temperature", "stop")
    model = await open_model(server)

    answers = await asyncio.gather(*[model.generate(REQUEST) for _ in range(20)])

    await model.aclose()
    assert {answer.not_sent for answer in answers} == {("temperature", "stop")}
    assert len(server.bodies) <= 3 * 20


async def test_what_the_run_file_says_in_other_words_is_left_out_too(
    server: ScriptedServer,
) -> None:
    """s01-temperature-cannot-be-left-out (eval-o3mini.yaml)."""
    server.respond = strict("temperature")
    model = await open_model(server, extra_body={"temperature": 1})

    generation = await model.generate(make_request())

    await model.aclose()
    assert generation.not_sent == ("temperature",)


async def test_what_was_not_sent_cannot_be_left_out(server: ScriptedServer) -> None:
    server.answers(told("Unsupported parameter: 'top_p'", param="top_p"), status=400)
    model = await open_model(server)

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    await model.aclose()
    assert str(caught.value) == (
        "HTTP 400: Unsupported parameter: 'top_p'\n"
        f"  where: {server.base_url}\n"
        "  try:   leave it out: `generation: {top_p: null}`"
    )
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("gpt-5", {"max_completion_tokens"}),
        ("gpt-5-mini-2025-08-07", {"max_completion_tokens"}),
        ("o1", {"max_completion_tokens"}),
        ("o3-mini", {"max_completion_tokens"}),
        ("o4-mini", {"max_completion_tokens"}),
        ("gpt-4o", {"max_completion_tokens", "temperature", "top_p", "stop"}),
        ("gpt-5-chat-latest", {"max_completion_tokens", "temperature", "top_p", "stop"}),
        ("gpt-5.1", {"max_completion_tokens", "temperature", "top_p", "stop"}),
    ],
)
async def test_openais_reasoning_models_are_asked_as_they_want(
    server: ScriptedServer, name: str, keys: set[str]
) -> None:
    """s01-temperature-cannot-be-left-out."""
    server.answers(CHAT)
    settings = OpenAISettings(base_url=server.base_url, http=server.http, api_key=SecretStr("k"))
    model = await OpenAIProvider(settings).open(name)

    generation: Generation = await model.generate(REQUEST)

    await model.aclose()
    assert set(server.bodies[0]) == {"model", "messages", "seed", *keys}
    assert bool(generation.not_sent) == ("temperature" not in keys)


known = st.sampled_from(
    ["temperature", "top_p", "seed", "stop", "max_tokens", "max_completion_tokens"]
)


@given(st.sets(known), st.lists(st.frozensets(known, min_size=1), max_size=8))
def test_learning_ends_and_only_takes_away(keys: set[str], refusals: list[frozenset[str]]) -> None:
    body: dict[str, Any] = {"model": "m", **dict.fromkeys(keys, 1)}
    learnt = UnsupportedParameters()

    for names in refusals:
        sent, _ = learnt.without(body)
        error = UnsupportedParameterError("no", where=None, names=names)
        can_be_sent_again = learnt.learn(error, sent)
        again, _ = learnt.without(body)
        assert can_be_sent_again == bool(names & sent.keys())
        assert not (names & sent.keys() & again.keys())
        assert "model" in again
