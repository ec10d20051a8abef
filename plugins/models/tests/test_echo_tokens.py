"""Whole texts, and choices without a prompt, at a server that echoes tokens by their ids.

The server of these tests computes as vLLM answers, with a tiny model of its own; the same model in
this process is what its scores are compared with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from aiohttp import web
from llmeval_models.model_settings import TransformersSettings, VllmSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.transformers.transformers_provider import TransformersProvider

from llmeval_core.hooks import Generation, ModelError, Request
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer
from .tiny_model import CONTEXT_SIZE, make_tiny_model

SPARE = 2
TEXT = "The capital of France is Paris. 富士山は高い。 " * 12
HINT = (
    "\n  try:   set `prefix_token` to the text of the model's begin-of-text token, or of its "
    "end-of-text token if it has none"
)


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread: torch's threads would spin."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("echoed"))


@pytest.fixture(scope="module")
def tiny(folder: Path) -> tuple[Any, Any]:
    """Give tokenizer and model without a line of ours; Any: of transformers."""
    return (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
    )


def as_vllm(
    server: ScriptedServer,
    tiny: tuple[Any, Any],
    *,
    begins: bool = False,
    odd: dict[str, Any] | None = None,
) -> None:
    """Answer as vLLM, computing with a model.

    Args:
        server: who answers.
        tiny: tokenizer and model; Any: of transformers.
        begins: whether its tokenizer puts `<s>` before a text by itself.
        odd: whole answers by their path that are given instead; Any: JSON.
    """
    words, network = tiny

    def tokenized(body: Any) -> Any:
        tokens = words.encode(body["prompt"], add_special_tokens=False)
        if begins and body["add_special_tokens"]:
            tokens = [0, *tokens]
        return {"tokens": tokens, "count": len(tokens), "max_model_len": CONTEXT_SIZE}

    def completed(body: Any) -> Any:
        (sent,) = body["prompt"]
        assert len(sent) < CONTEXT_SIZE  # vLLM wants room for the token that it writes
        with torch.inference_mode():
            logits = network(torch.tensor([sent])).logits[0]
        told = torch.log_softmax(logits, dim=-1)
        tokens = [*sent, int(told[-1].argmax())]
        values: list[float | None] = [None]
        tops: list[dict[str, float] | None] = [None]
        for row, token in zip(told, tokens[1:], strict=True):
            best = int(row.argmax())
            values.append(float(row[token]))
            tops.append({f"token_id:{one}": float(row[one]) for one in (best, token)})
        logprobs = {
            "tokens": [f"token_id:{token}" for token in tokens],
            "token_logprobs": values,
            "top_logprobs": tops,
        }
        return {"model": "m", "choices": [{"index": 0, "text": "", "logprobs": logprobs}]}

    async def respond(request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        if odd is not None and request.path in odd:
            return web.Response(text=json.dumps(odd[request.path]))
        answer = {"/tokenize": tokenized, "/v1/completions": completed}[request.path](body)
        return web.json_response(answer)

    server.respond = respond


async def ask_server(server: ScriptedServer, request: Request, **settings: Any) -> Generation:
    """Ask by the wire; Any: fields of VllmSettings."""
    given = VllmSettings(base_url=server.base_url, **settings)
    model = await OpenAICompatibleProvider(given).open("m")
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


async def ask_here(folder: Path, request: Request) -> Generation:
    """Ask the same model in this process, with the context that the wire leaves."""
    given = TransformersSettings(
        weights=str(folder), device="cpu", dtype="float32", context_size=CONTEXT_SIZE - SPARE
    )
    model = await TransformersProvider(given).open("m")
    try:
        return await model.generate(request)
    finally:
        await model.aclose()


@pytest.mark.parametrize("text", [TEXT, "Paris", "<s>" + TEXT[:40]])
async def test_a_whole_text_has_the_score_of_the_model_in_this_process(
    server: ScriptedServer, folder: Path, tiny: tuple[Any, Any], text: str
) -> None:
    as_vllm(server, tiny)
    request = make_request(text, mode="rolling")

    found = await ask_server(server, request, prefix_token="<s>")

    here = await ask_here(folder, request)
    (score,), (expected,) = found.loglikelihoods, here.loglikelihoods
    assert score.logprob == pytest.approx(expected.logprob, rel=1e-5)
    assert (score.n_tokens, score.is_greedy) == (expected.n_tokens, expected.is_greedy)
    assert (found.n_prompt_tokens, found.served_by) == (here.n_prompt_tokens, "m")


async def test_the_token_that_the_server_begins_with_is_found(
    server: ScriptedServer, tiny: tuple[Any, Any]
) -> None:
    """And, as in lm-evaluation-harness, stands before a text that has it already."""
    as_vllm(server, tiny, begins=True)

    found = await ask_server(server, make_request("Paris", mode="rolling"))

    (score,) = found.loglikelihoods
    sent = next(body["prompt"][0] for body in server.bodies if "echo" in body)
    assert sent[:2] == [0, 0]
    assert score.n_tokens == len(sent) - 1


async def test_without_a_prompt_a_text_begins(
    server: ScriptedServer, folder: Path, tiny: tuple[Any, Any]
) -> None:
    as_vllm(server, tiny)
    request = replace(
        make_request(" ", mode="loglikelihood"), continuations=("Paris", "富士山", "<s>Rome")
    )

    found = await ask_server(server, request, prefix_token="<s>")

    expected = (await ask_here(folder, request)).loglikelihoods
    assert [one.n_tokens for one in found.loglikelihoods] == [one.n_tokens for one in expected]
    assert [one.logprob for one in found.loglikelihoods] == pytest.approx(
        [one.logprob for one in expected], rel=1e-5
    )


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, "the server does not say which token begins a text"),
        ({"prefix_token": "x<s>"}, "`prefix_token` 'x<s>' is 2 tokens for this model"),
    ],
)
async def test_what_begins_a_text_must_be_known(
    server: ScriptedServer, tiny: tuple[Any, Any], settings: dict[str, Any], what: str
) -> None:
    as_vllm(server, tiny)

    with pytest.raises(ModelError) as caught:
        await ask_server(server, make_request("x", mode="rolling"), **settings)

    assert caught.value.kind == "bad_request"
    assert str(caught.value) == what + HINT


@pytest.mark.parametrize(
    ("path", "answer", "what"),
    [
        ("/tokenize", {"object": "list"}, "tokenize"),
        ("/tokenize", {"tokens": [0], "max_model_len": None}, "tell its context size"),
        ("/v1/completions", {"choices": []}, "echo tokens by their ids"),
        (
            "/v1/completions",
            {"choices": [{"logprobs": {"tokens": ["<s>", "x"], "token_logprobs": [None, -1.0]}}]},
            "echo tokens by their ids",
        ),
    ],
)
async def test_another_server_is_told_apart(
    server: ScriptedServer, tiny: tuple[Any, Any], path: str, answer: object, what: str
) -> None:
    as_vllm(server, tiny, odd={path: answer})

    with pytest.raises(ModelError) as caught:
        await ask_server(server, make_request("x", mode="rolling"), prefix_token="<s>")

    assert caught.value.kind == "malformed"
    assert str(caught.value) == (
        f"the server does not {what} as vLLM does\n"
        "  try:   whole texts, and choices without a prompt, need vLLM's own server, or "
        "`llamacpp/` or `transformers/`"
    )


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("/tokenize", {"tokens": [0], "count": 1, "max_model_len": 8}),
        (
            "/v1/completions",
            {
                "model": "m",
                "choices": [
                    {
                        "logprobs": {
                            "tokens": ["token_id:0", "token_id:91", "token_id:5"],
                            "token_logprobs": [None, -1.0, -2.0],
                            "top_logprobs": [None, {"token_id:91": -1.0}, None],
                        }
                    }
                ],
            },
        ),
    ],
)
async def test_whatever_stands_at_any_place_only_our_errors_come_of_it(
    server: ScriptedServer, tiny: tuple[Any, Any], path: str, good: Any
) -> None:
    request = make_request("x", mode="rolling")

    async def ask(odd: object) -> Generation:
        as_vllm(server, tiny, odd={path: odd})
        return await ask_server(server, request, prefix_token="<s>")

    assert await check_odd_answers(ask, good, request=request) > 50


def test_the_prefix_token_is_part_of_what_is_asked() -> None:
    infos = [
        OpenAICompatibleProvider(VllmSettings(prefix_token=prefix)).describe("m")
        for prefix in (None, "<s>")
    ]

    assert infos[0].cache_key != infos[1].cache_key
    assert infos[0].modes == {"chat", "completion", "loglikelihood", "rolling"}
