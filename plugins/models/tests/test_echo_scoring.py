"""Choices scored by a server that echoes the prompt with log-probabilities, as vLLM does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from llmeval_models.model_settings import VllmSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider

from llmeval_core.hooks import Generation, Loglikelihood, ModelError, Request
from llmeval_core.testing import make_request

from .conftest import ScriptedServer


def echo(text: str) -> dict[str, Any]:
    """Answer as vLLM: a token a word with its space, or a UTF-8 byte beyond ASCII; -1, -2, ..."""
    tokens: list[str] = []
    offsets: list[int] = []
    for found in re.finditer(r" ?[!-~]+| |[^ -~]", text):
        part = found.group()
        pieces = [part] if part.isascii() else ["\N{REPLACEMENT CHARACTER}"] * len(part.encode())
        for piece in pieces:  # a piece of a character counts as one: offsets drift
            offsets.append(sum(map(len, tokens)))
            tokens.append(piece)
    tokens.append(" the")
    offsets.append(sum(map(len, tokens[:-1])))
    logprobs: list[float | None] = [None, *(-float(i) for i in range(1, len(tokens)))]
    tops: list[dict[str, float] | None] = [
        {token: -0.5} if token != " Rome" else {" Paris": -0.5, token: -9.0} for token in tokens
    ]
    return {
        "tokens": tokens,
        "text_offset": offsets,
        "token_logprobs": logprobs,
        "top_logprobs": [None, *tops[1:]],
    }


def as_vllm(server: ScriptedServer) -> None:
    async def respond(request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        choices = [
            {"index": index, "text": text, "logprobs": echo(text)}
            for index, text in enumerate(body["prompt"])
        ]
        usage = {"prompt_tokens": 40, "completion_tokens": len(choices)}
        answer = {"model": "m", "choices": choices[::-1], "usage": usage}
        return web.json_response(answer)

    server.respond = respond


async def score_continuations(server: ScriptedServer, request: Request) -> Generation:
    model = await OpenAICompatibleProvider(VllmSettings(base_url=server.base_url)).open("m")
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


async def test_the_tokens_after_the_prompt_are_summed(server: ScriptedServer) -> None:
    as_vllm(server)
    request = make_request("The capital is", mode="loglikelihood")

    generation = await score_continuations(
        server, replace(request, continuations=(" Paris", " New York", " Rome"))
    )

    assert generation.loglikelihoods == (
        Loglikelihood(-3.0, 1, is_greedy=True),
        Loglikelihood(-3.0 - 4.0, 2, is_greedy=True),
        Loglikelihood(-3.0, 1, is_greedy=False),
    )
    assert (generation.texts, generation.n_prompt_tokens) == ((), 40)
    assert len(server.bodies) == 1
    assert server.bodies[0] == {
        "model": "m",
        "prompt": ["The capital is Paris", "The capital is New York", "The capital is Rome"],
        "max_tokens": 1,
        "temperature": 0,
        "echo": True,
        "logprobs": 1,
    }


async def test_a_trailing_space_belongs_to_the_continuation(server: ScriptedServer) -> None:
    as_vllm(server)
    request = make_request("The capital is ", mode="loglikelihood")

    generation = await score_continuations(
        server, replace(request, continuations=("Paris", "Rome"))
    )

    assert [item.logprob for item in generation.loglikelihoods] == [-3.0, -3.0]
    assert server.bodies[0]["prompt"] == ["The capital is Paris", "The capital is Rome"]


async def test_beyond_ascii_the_tokens_of_the_prompt_are_counted(server: ScriptedServer) -> None:
    as_vllm(server)
    request = make_request("首都:", mode="loglikelihood")

    generation = await score_continuations(server, replace(request, continuations=("京", " x")))

    assert server.bodies[0]["prompt"] == ["首都:", "首都:京", "首都: x"]
    # 首 and 都 have three tokens each and ":" one: 京 is tokens 7 to 9.
    assert generation.loglikelihoods[0] == Loglikelihood(-7.0 - 8.0 - 9.0, 3, is_greedy=True)


@pytest.mark.parametrize(
    "choice",
    [
        {"index": 0, "text": "x"},
        {"index": 0, "text": "x", "logprobs": None},
        {"index": 0, "logprobs": {"tokens": ["x"], "text_offset": [0], "token_logprobs": [-1.0]}},
    ],
)
async def test_a_server_that_does_not_echo(server: ScriptedServer, choice: dict[str, Any]) -> None:
    server.answers({"choices": [choice, choice]})

    with pytest.raises(ModelError) as caught:
        await score_continuations(server, make_request("The capital is", mode="loglikelihood"))

    assert caught.value.kind == "malformed"
    assert str(caught.value) == (
        "the server does not echo the prompt with logprobs\n"
        "  try:   set `loglikelihood: none` for this model, or use a server that can"
    )
