"""A llama.cpp server whose answers are odd: right, or that sample fails with the true reason."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from aiohttp import web
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.llama_cpp_scoring import LlamaCppScorer
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.hooks import Generation, ModelError, Request
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer

LOGPROBS = {1: -0.5, 2: -1.5, 3: -2.5}
PROPS: Any = {"total_slots": 2}
GOOD_TOKENS = {"tokens": [0, 1]}
GOOD_FORCED: Any = {
    "completion_probabilities": [
        {"id": 1, "logprob": LOGPROBS[1], "top_logprobs": [{"id": 1, "logprob": LOGPROBS[1]}]}
    ]
}
GOOD_LIFTED: Any = {
    "completion_probabilities": [
        {"top_probs": [{"id": 1, "prob": 1 - 1e-9}, {"id": 2, "prob": 1e-9}]}
    ]
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


def llama_cpp(server: ScriptedServer, **odd: Any) -> None:
    """Answer as llama.cpp of two choices of one token each, but for `odd`; Any: JSON."""
    said = {"tokens": None, "forced": GOOD_FORCED, "lifted": GOOD_LIFTED, "props": PROPS} | odd

    async def respond(request: web.Request) -> web.Response:
        body = json.loads(await request.text() or "{}")
        answer: Any = said["props"]
        if request.path == "/tokenize":
            last = {"x Paris": [1], "x Rome": [2]}.get(body["content"], [])
            answer = said["tokens"] or {"tokens": [0, *last]}
        elif request.path == "/completion":
            answer = said["lifted" if body.get("post_sampling_probs") else "forced"]
        return web.Response(text=json.dumps(answer))

    server.respond = respond


async def score_continuations(server: ScriptedServer, request: Request | None = None) -> Generation:
    client = JsonClient(
        OpenAICompatibleSettings(base_url=server.base_url), streamed=StreamedResponse
    )
    try:
        return await LlamaCppScorer(client).score(
            request or make_request("x", mode="loglikelihood")
        )
    finally:
        await client.aclose()


async def test_choices_of_one_token(server: ScriptedServer) -> None:
    llama_cpp(server)

    generation = await score_continuations(server)

    values = [item.logprob for item in generation.loglikelihoods]
    assert values[0] == LOGPROBS[1]
    assert values[1] < 0
    assert [item.is_greedy for item in generation.loglikelihoods] == [True, False]


@pytest.mark.parametrize("value", [None, math.nan, -math.inf, math.inf, 0.5, "-1", True], ids=repr)
async def test_a_value_that_is_no_log_probability(server: ScriptedServer, value: Any) -> None:
    """p1-vllm-bos, of llama.cpp: never a NaN, never tried again."""
    forced = json.loads(json.dumps(GOOD_FORCED))
    forced["completion_probabilities"][0]["logprob"] = value
    llama_cpp(server, forced=forced)

    with pytest.raises(ModelError) as caught:
        await score_continuations(server)

    assert caught.value.kind == "bad_request"
    assert caught.value.what.startswith("the server tells")


async def test_a_forced_token_without_a_chance_makes_no_other_certain(
    server: ScriptedServer,
) -> None:
    llama_cpp(
        server,
        lifted={
            "completion_probabilities": [
                {"top_probs": [{"id": 1, "prob": 0.0}, {"id": 2, "prob": 1.0}]}
            ]
        },
    )

    with pytest.raises(ModelError) as caught:
        await score_continuations(server)

    assert caught.value.kind == "bad_request"


@pytest.mark.parametrize(
    ("place", "good"),
    [("tokens", GOOD_TOKENS), ("forced", GOOD_FORCED), ("lifted", GOOD_LIFTED)],
)
async def test_whatever_stands_at_any_place_only_our_errors_come_of_it(
    server: ScriptedServer, place: str, good: Any
) -> None:
    """s03-odd-answer-fields-crash, of llama.cpp."""

    async def ask(answer: Any) -> Generation:
        llama_cpp(server, **{place: answer or {"tokens": answer}})
        return await score_continuations(server)

    request = make_request("x", mode="loglikelihood")

    assert await check_odd_answers(ask, good, request=request) > 100


WHOLE_PROPS: Any = {
    "total_slots": 2,
    "default_generation_settings": {"n_ctx": 64},
    "bos_token": "<s>",
    "eos_token": "</s>",
}


@pytest.mark.parametrize(
    ("props", "tokens", "what"),
    [
        (
            WHOLE_PROPS | {"bos_token": "", "eos_token": None},
            None,
            "the prompt is empty, and the model has no token that begins a text",
        ),
        (WHOLE_PROPS, {"tokens": [7]}, "choice 1 has no token for this model"),
    ],
)
async def test_an_empty_prompt_that_cannot_be_scored(
    server: ScriptedServer, props: object, tokens: object, what: str
) -> None:
    llama_cpp(server, props=props, tokens=tokens)

    with pytest.raises(ModelError) as caught:
        await score_continuations(server, make_request("", mode="loglikelihood"))

    assert (caught.value.kind, caught.value.what) == ("bad_request", what)


@pytest.mark.parametrize(
    ("props", "kind", "what"),
    [
        (PROPS, "malformed", "the server does not tell its context size as llama.cpp does"),
        (
            WHOLE_PROPS | {"bos_token": "ab", "eos_token": ""},
            "bad_request",
            "the tokenizer has no first token",
        ),
    ],
)
async def test_a_whole_text_that_cannot_be_scored(
    server: ScriptedServer, props: object, kind: str, what: str
) -> None:
    llama_cpp(server, props=props, tokens={"tokens": [1, 2]})

    with pytest.raises(ModelError) as caught:
        await score_continuations(server, make_request("x y", mode="rolling"))

    assert (caught.value.kind, caught.value.what) == (kind, what)


async def test_whatever_a_server_tells_of_itself_only_our_errors_come_of_it(
    server: ScriptedServer,
) -> None:
    async def ask(odd: object) -> Generation:
        llama_cpp(server, props=odd, tokens={"tokens": [1]})
        return await score_continuations(server, make_request("x", mode="rolling"))

    request = make_request("x", mode="rolling")

    assert await check_odd_answers(ask, WHOLE_PROPS, request=request) > 50
