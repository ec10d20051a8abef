"""Choices scored by llama.cpp, against the model's whole distribution."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.next_token import NextTokenReader, tokenize
from llmeval_models.llamacpp.llama_cpp_model import LlamaCppModel
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.hooks import Loglikelihood, Model, ModelError
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

VOCABULARY = 49_152
KERNEL_NOISE = 0.06
"""Nats; a token is computed alone or with others in one batch, by different kernels."""


@pytest.fixture
async def client(smollm: Model) -> AsyncIterator[JsonClient]:
    """A connection of the test's own to the engine."""
    assert isinstance(smollm, LlamaCppModel)
    engine = smollm.engine
    client = JsonClient(
        OpenAICompatibleSettings(base_url=f"{engine.address}/v1"),
        streamed=StreamedResponse,
        key=engine.key,
    )
    yield client
    await client.aclose()


async def whole_distribution(client: JsonClient, prefix: list[int]) -> dict[int, float]:
    """Read all log-probabilities in one (slow) request: what the quick way must agree with."""
    letter = (await tokenize(client, "a", special=False))[0]
    body: dict[str, Any] = {
        "prompt": prefix,
        "n_predict": 1,
        "temperature": 0,
        "n_probs": VOCABULARY,
        "logit_bias": [[letter, 1000]],
        "id_slot": 0,
    }
    answer = await client.post("/completion", body, at_root=True)
    ranked = answer["completion_probabilities"][0]["top_logprobs"]
    return {item["id"]: item["logprob"] for item in ranked}


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("Question: What is the capital of France?\nAnswer:", " Paris"),
        ("質問: 日本で一番高い山は何ですか?\n答え:", "富士山"),
        ("これは🙂", "🙃"),
    ],
)
async def test_next_tokens_agree_with_the_whole_distribution(
    client: JsonClient, prompt: str, text: str
) -> None:
    prefix = await tokenize(client, prompt, special=True)
    wanted = list(dict.fromkeys([*(await tokenize(client, text, special=False)), 260, 0, 2]))
    whole = await whole_distribution(client, prefix)

    found = await NextTokenReader(client).read(prefix, wanted, slot=0)

    assert found.logprobs == pytest.approx({token: whole[token] for token in wanted}, abs=1e-3)
    assert found.likeliest == max(whole, key=whole.__getitem__)


@pytest.mark.parametrize(
    ("prompt", "continuations"),
    [
        ("The capital of France is", (" Paris", " Paris, of course", " Rome", " x")),
        ("日本の首都は", ("東京", "東京です", "京都", "大阪")),
    ],
)
async def test_choices_are_the_sums_of_their_tokens(
    smollm: Model, client: JsonClient, prompt: str, continuations: tuple[str, ...]
) -> None:
    prefix = await tokenize(client, prompt, special=True)
    expected = []
    for text in continuations:
        tokens = (await tokenize(client, prompt + text, special=True))[len(prefix) :]
        total, greedy = 0.0, True
        for place, token in enumerate(tokens):
            whole = await whole_distribution(client, prefix + tokens[:place])
            total += whole[token]
            greedy = greedy and token == max(whole, key=whole.__getitem__)
        expected.append(Loglikelihood(total, len(tokens), greedy))
    request = replace(make_request(prompt, mode="loglikelihood"), continuations=continuations)

    generation = await smollm.generate(request)

    assert [(item.n_tokens, item.is_greedy) for item in generation.loglikelihoods] == [
        (item.n_tokens, item.is_greedy) for item in expected
    ]
    assert [item.logprob for item in generation.loglikelihoods] == pytest.approx(
        [item.logprob for item in expected], abs=KERNEL_NOISE
    )
    assert generation.n_completion_tokens == 0


async def test_a_trailing_space_belongs_to_the_continuation(smollm: Model) -> None:
    tight = make_request("The capital of France is", mode="loglikelihood")
    spaced = replace(tight, prompt="The capital of France is ", continuations=("Paris", "Rome"))

    first, second = await smollm.generate(tight), await smollm.generate(spaced)

    assert [item.logprob for item in second.loglikelihoods] == pytest.approx(
        [item.logprob for item in first.loglikelihoods], abs=KERNEL_NOISE
    )


async def test_an_empty_choice_fails_with_the_true_reason(smollm: Model) -> None:
    """p1-vllm-bos: nothing is always certain, and would win against every other choice."""
    request = replace(make_request("One two", mode="loglikelihood"), continuations=(" x", ""))

    with pytest.raises(ModelError) as caught:
        await smollm.generate(request)

    assert caught.value.kind == "bad_request"
    assert caught.value.what == "choice 2 is empty, so there is nothing to score"


async def test_any_llama_cpp_server_can_score(smollm: Model) -> None:
    assert isinstance(smollm, LlamaCppModel)
    request = make_request("The capital of France is", mode="loglikelihood")
    own = await smollm.generate(request)
    settings = OpenAICompatibleSettings(
        base_url=f"{smollm.engine.address}/v1", api_key=smollm.engine.key, loglikelihood="llama_cpp"
    )
    remote = await OpenAICompatibleProvider(settings).open("x")

    found = await remote.generate(request)

    await remote.aclose()
    assert [item.logprob for item in found.loglikelihoods] == pytest.approx(
        [item.logprob for item in own.loglikelihoods], abs=KERNEL_NOISE
    )


async def test_another_server_is_told_apart(server: ScriptedServer) -> None:
    server.answers({"object": "list"})
    settings = OpenAICompatibleSettings(base_url=server.base_url, loglikelihood="llama_cpp")
    model = await OpenAICompatibleProvider(settings).open("x")

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request("The capital is", mode="loglikelihood"))

    await model.aclose()
    assert caught.value.kind == "malformed"
    assert str(caught.value) == (
        "the server does not tokenize as llama.cpp does\n"
        "  try:   `loglikelihood: llama_cpp` is for llama.cpp's own server"
    )
