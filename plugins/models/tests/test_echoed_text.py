"""Choices scored by an echo, whatever tokenizer stands behind it and however it spells tokens."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from llmeval_models.model_settings import VllmSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider

from llmeval_core.hooks import Generation, Loglikelihood, ModelError
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer

WEIGHTS = {" Paris": -0.1, " Rome": -9.0, " Oslo": -5.0, " New": -2.0, " York": -0.5, "京": -4.0}
CHOICES = (" Rome", " Paris", " Oslo")
RIGHT = [-9.0, -0.1, -5.0]
Spell = Callable[[str], list[str]]


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


def words(text: str) -> list[str]:
    """Split into words with their space, line breaks, and characters beyond ASCII."""
    return re.findall(r" ?[!-~]+| |\n|[^ -~\n]", text)


def echo(text: str, *, bos: str = "", spell: Spell = words) -> dict[str, Any]:
    """Echo a text as vLLM does: the begin-of-text token counts in the offsets; Any: JSON."""
    tokens = [*([bos] if bos else []), *spell(text), " x"]
    offsets = [sum(map(len, tokens[:place])) for place in range(len(tokens))]
    logprobs: list[Any] = [None, *[WEIGHTS.get(token, -1.5) for token in tokens[1:]]]
    return {
        "tokens": tokens,
        "text_offset": offsets,
        "token_logprobs": logprobs,
        "top_logprobs": [
            None,
            *[{token: value} for token, value in zip(tokens[1:], logprobs[1:], strict=True)],
        ],
    }


def echoing(server: ScriptedServer, make: Callable[[str], Any] = echo, **more: Any) -> None:
    """Let the server echo each prompt; Any: JSON."""

    async def respond(request: web.Request) -> web.Response:
        prompts = json.loads(await request.text())["prompt"]
        choices = [
            {"index": index, "text": text, "logprobs": make(text)}
            for index, text in enumerate(prompts)
        ]
        return web.json_response({"model": "m", "choices": choices, **more})

    server.respond = respond


async def score_continuations(
    server: ScriptedServer, *choices: str, prompt: str = "The capital of France is"
) -> Generation:
    request = replace(make_request(prompt, mode="loglikelihood"), continuations=choices)
    model = await OpenAICompatibleProvider(VllmSettings(base_url=server.base_url)).open("m")
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


async def values(
    server: ScriptedServer, *choices: str, prompt: str = "The capital of France is"
) -> Any:
    generation = await score_continuations(server, *choices, prompt=prompt)
    return [item.logprob for item in generation.loglikelihoods]


async def refused(
    server: ScriptedServer, *choices: str, prompt: str = "The capital of France is"
) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await score_continuations(server, *choices, prompt=prompt)
    return caught.value


BOS = ["", "<s>", "<bos>", "<|begin_of_text|>", "[CLS]"]


@pytest.mark.parametrize("bos", BOS)
@pytest.mark.parametrize("prompt", ["The capital of France is", "The capital of France is "])
async def test_a_begin_of_text_token_changes_nothing(
    server: ScriptedServer, bos: str, prompt: str
) -> None:
    """p1-vllm-bos: vLLM counts it in `text_offset`, though it is no part of the text."""
    echoing(server, lambda text: echo(text, bos=bos))
    choices = [text.strip() if prompt.endswith(" ") else text for text in CHOICES]

    assert await values(server, *choices, prompt=prompt) == RIGHT
    assert len(server.bodies) == 1


@pytest.mark.parametrize("bos", BOS)
async def test_beyond_ascii_too(server: ScriptedServer, bos: str) -> None:
    """p1-vllm-bos."""
    echoing(server, lambda text: echo(text, bos=bos))

    assert await values(server, "京", "東", prompt="首都は") == [-4.0, -1.5]


def without_spaces(text: str) -> list[str]:
    return [word.strip(" ") or word for word in words(text)]


def sentencepiece(text: str) -> list[str]:
    return [word.replace(" ", "\u2581") for word in words(f" {text}")]


def in_bytes(text: str) -> list[str]:
    """Spell what is not ASCII byte by byte, as tokenizers with a byte fallback do."""
    return [
        piece
        for word in words(text)
        for piece in ([word] if word.isascii() else [f"<0x{byte:02X}>" for byte in word.encode()])
    ]


def as_old_openai(text: str) -> list[str]:
    return [
        word if word.isascii() else "bytes:" + "".join([f"\\x{byte:02x}" for byte in word.encode()])
        for word in words(text)
    ]


def as_pieces(text: str) -> list[str]:
    """Spell what is not ASCII as the parts of characters that vLLM shows."""
    return [
        piece
        for word in words(text)
        for piece in ([word] if word.isascii() else ["\ufffd"] * len(word.encode()))
    ]


@pytest.mark.parametrize("spell", [without_spaces, sentencepiece])
@pytest.mark.parametrize("bos", ["", "<s>"])
async def test_tokens_that_lost_their_space_or_spell_it_otherwise(
    server: ScriptedServer, spell: Spell, bos: str
) -> None:
    """p1-vllm-bos: token strings that lost their leading space."""
    echoing(server, lambda text: echo(text, bos=bos, spell=spell))

    generation = await score_continuations(server, " Rome", " New York")

    assert [item.n_tokens for item in generation.loglikelihoods] == [1, 2]
    assert len(server.bodies) == 1


@pytest.mark.parametrize("spell", [in_bytes, as_old_openai, as_pieces])
@pytest.mark.parametrize("bos", ["", "<s>"])
async def test_characters_in_pieces(server: ScriptedServer, spell: Spell, bos: str) -> None:
    """p1-vllm-bos: byte-fallback tokens."""
    echoing(server, lambda text: echo(text, bos=bos, spell=spell))

    generation = await score_continuations(server, "京", "東京です", prompt="首都は")

    n_bytes = 1 if spell is as_old_openai else 3
    assert [item.n_tokens for item in generation.loglikelihoods] == [n_bytes, 4 * n_bytes]
    assert len(server.bodies) == 1


async def test_tokens_that_do_not_spell_the_text_are_counted(server: ScriptedServer) -> None:
    def lowered(text: str) -> list[str]:  # a tokenizer that normalizes
        return [word.lower() for word in words(text)]

    echoing(server, lambda text: echo(text, bos="<s>", spell=lowered), usage={"prompt_tokens": 9})

    generation = await score_continuations(server, " rome", " new york", prompt="The CAPITAL is")

    assert [item.n_tokens for item in generation.loglikelihoods] == [1, 2]
    assert [body["prompt"] for body in server.bodies] == [
        ["The CAPITAL is rome", "The CAPITAL is new york"],
        ["The CAPITAL is"],
    ]
    assert generation.n_prompt_tokens == 18


async def test_the_raw_bytes_of_tokens_are_used_where_they_are_told(server: ScriptedServer) -> None:
    """p1-vllm-bos: `bytes` fields, in the form that chats have."""

    def make(text: str) -> Any:
        pieces = [*text.encode(), 120]
        return {
            "content": [
                {
                    "token": "\ufffd",
                    "bytes": [byte],
                    "logprob": -1.0 if place else None,
                    "top_logprobs": [{"token": "\ufffd", "logprob": -1.0}],
                }
                for place, byte in enumerate(pieces)
            ]
        }

    echoing(server, make)

    generation = await score_continuations(server, "京", " x", prompt="首都は")

    assert generation.loglikelihoods == (
        Loglikelihood(-3.0, 3, is_greedy=True),
        Loglikelihood(-2.0, 2, is_greedy=True),
    )


async def test_a_server_that_generates_nothing_after_the_echo(server: ScriptedServer) -> None:
    def make(text: str) -> Any:
        whole = echo(text, spell=as_pieces)
        return {key: values[:-1] for key, values in whole.items()}

    n_tokens = [len(as_pieces(text)) for text in ("首都は", "首都は京", "首都は x")]
    echoing(server, make, usage={"prompt_tokens": sum(n_tokens)})

    generation = await score_continuations(server, "京", " x", prompt="首都は")

    assert [item.n_tokens for item in generation.loglikelihoods] == [3, 1]


def merging(text: str) -> list[str]:
    """Join an opening bracket with what follows."""
    return re.findall(r"\([^)]| ?[!-'*-~]+| |\n|[()]|[^ -~\n]", text)


@pytest.mark.parametrize("mark", ["", "答え"])
async def test_a_choice_that_joins_the_prompt_in_one_token_fails_with_the_true_reason(
    server: ScriptedServer, mark: str
) -> None:
    """p1-vllm-bos: neither side owns such a token."""
    echoing(server, lambda text: echo(text, bos="<s>", spell=merging))

    error = await refused(server, "A)", "B)", prompt=f"{mark}The answer is (")

    assert error.kind == "bad_request"
    assert str(error) == (
        "choice 1 joins the end of the prompt in one token, '(A'\n"
        "  try:   end the prompt differently, for example with a line break before the choices"
    )


async def test_a_choice_that_changes_the_prompt_s_tokens_fails_with_the_true_reason(
    server: ScriptedServer,
) -> None:
    def spell(text: str) -> list[str]:  # parts of characters, and 首都 one token
        return ["\ufffd\ufffd" if word == "首" else "\ufffd" for word in re.findall("首都|.", text)]

    echoing(server, lambda text: echo(text, spell=spell))

    error = await refused(server, "都", prompt="日本の首")

    assert error.kind == "bad_request"
    assert error.what.startswith("choice 1 joins the end of the prompt in one token")


async def test_an_empty_choice_fails_with_the_true_reason(server: ScriptedServer) -> None:
    """p1-vllm-bos: not "the server does not echo", and nothing is asked."""
    error = await refused(server, " Paris", "")

    assert error.kind == "bad_request"
    assert str(error) == (
        "choice 2 is empty, so there is nothing to score\n"
        "  try:   give each choice a text, or leave the sample out"
    )
    assert server.bodies == []


async def test_an_empty_prompt(server: ScriptedServer) -> None:
    echoing(server, lambda text: echo(text, bos="<s>"))
    assert await values(server, " Rome", " Paris", prompt="") == [-9.0, -0.1]

    echoing(server)
    error = await refused(server, " Rome", " Paris", prompt="")

    assert error.kind == "bad_request"
    assert str(error) == (
        "choice 1: the prompt is empty, and the server puts no token before the text\n"
        "  try:   set `prefix_token` to the text of the model's begin-of-text token, or of its "
        "end-of-text token if it has none"
    )


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "the server tells no log-probability of a token of it"),
        (float("nan"), "the server tells a log-probability that is not finite"),
        (-float("inf"), "the server tells a log-probability that is not finite"),
        (float("inf"), "the server tells a log-probability that is not finite"),
        (10**400, "the server tells a log-probability that is not finite"),
        (0.5, "the server tells a log-probability above 0"),
        ("-1", "the server tells a log-probability that is no number"),
        (True, "the server tells a log-probability that is no number"),
        ({"logprob": -1}, "the server tells a log-probability that is no number"),
    ],
    ids=str,
)
async def test_a_value_that_is_no_log_probability(
    server: ScriptedServer, value: Any, what: str
) -> None:
    """p1-vllm-bos: NaN, infinite, positive: never averaged, never tried again."""

    def make(text: str) -> Any:
        whole = echo(text)
        if text.endswith("Paris"):
            whole["token_logprobs"][-2] = value
        return whole

    async def respond(request: web.Request) -> web.Response:
        prompts = json.loads(await request.text())["prompt"]
        choices = [{"index": i, "logprobs": make(text)} for i, text in enumerate(prompts)]
        return web.Response(text=json.dumps({"choices": choices}))

    server.respond = respond

    error = await refused(server, *CHOICES)

    assert (error.kind, error.what) == ("bad_request", f"choice 2: {what}")


async def test_rounding_above_0_is_0(server: ScriptedServer) -> None:
    def make(text: str) -> Any:
        return echo(text) | {"token_logprobs": [None, *[1e-6] * len(words(text))]}

    echoing(server, make)

    assert await values(server, *CHOICES) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda choices: [choice | {"index": 7} for choice in choices],
            None,  # the tokens spell the texts: the order is sure
        ),
        (lambda choices: [choice | {"index": None} for choice in choices], None),
        (lambda choices: choices[::-1], None),
        (lambda choices: choices[:1], "the server's answers do not fit the prompts"),
        (lambda choices: choices * 2, "the server's answers do not fit the prompts"),
        (lambda choices: [*choices[:2], {"index": 2}], "the server's answers do not fit the"),
        (
            lambda choices: [
                choice | {"logprobs": choice["logprobs"] | {"token_logprobs": [None, -1.0]}}
                for choice in choices
            ],
            "the server tells 7 tokens and 2 log-probabilities",
        ),
        (
            lambda choices: [
                choice | {"logprobs": choice["logprobs"] | {"tokens": [1] * 7}}
                for choice in choices
            ],
            "the server tells tokens that are no texts",
        ),
    ],
)
async def test_answers_that_do_not_fit(
    server: ScriptedServer, change: Any, what: str | None
) -> None:
    """p1-vllm-bos: an index that does not fit, missing arrays, arrays of different lengths."""

    async def respond(request: web.Request) -> web.Response:
        prompts = json.loads(await request.text())["prompt"]
        choices = [{"index": i, "logprobs": echo(text)} for i, text in enumerate(prompts)]
        return web.json_response({"choices": change(choices)})

    server.respond = respond

    if what is None:
        assert await values(server, *CHOICES) == RIGHT
    else:
        error = await refused(server, *CHOICES)
        assert error.kind == "bad_request"
        assert error.what.startswith(what)


@pytest.mark.parametrize(
    "tops",
    [None, [], 7, [None] * 7, [7] * 7, [{}] * 7, [{"x": "y"}] * 7, [{"x": float("nan")}] * 7],
)
async def test_odd_likeliest_tokens_are_unknown(server: ScriptedServer, tops: Any) -> None:
    async def respond(request: web.Request) -> web.Response:
        prompts = json.loads(await request.text())["prompt"]
        choices = [
            {"index": i, "logprobs": echo(text) | {"top_logprobs": tops}}
            for i, text in enumerate(prompts)
        ]
        return web.Response(text=json.dumps({"choices": choices}))

    server.respond = respond

    generation = await score_continuations(server, *CHOICES)

    assert [item.logprob for item in generation.loglikelihoods] == RIGHT
    assert [item.is_greedy for item in generation.loglikelihoods] == [None] * 3


async def test_whatever_stands_at_any_place_only_our_errors_come_of_it(
    server: ScriptedServer,
) -> None:
    """s03-odd-answer-fields-crash, of log-likelihoods."""
    request = make_request("It is", mode="loglikelihood")
    texts = [request.prompt + choice for choice in request.continuations]
    good: Any = {
        "model": "m",
        "choices": [{"index": i, "logprobs": echo(text)} for i, text in enumerate(texts)],
        "usage": {"prompt_tokens": 8},
    }
    model = await OpenAICompatibleProvider(VllmSettings(base_url=server.base_url)).open("m")

    async def ask(answer: Any) -> Generation:
        server.answers(json.dumps(answer))
        return await model.generate(request)

    async with asyncio.timeout(120):
        assert await check_odd_answers(ask, good, request=request) > 500
    await model.aclose()
