"""Choices scored by llama.cpp, against the model's whole distribution."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from llmeval_models.http.json_client import JsonClient
from llmeval_models.likelihood.next_token import NextTokenReader, tokenize
from llmeval_models.llamacpp.llama_cpp_model import LlamaCppModel
from llmeval_models.llamacpp.llama_cpp_provider import LlamaCppProvider
from llmeval_models.model_settings import LlamaCppSettings, OpenAICompatibleSettings
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.hooks import Loglikelihood, Model, ModelError
from llmeval_core.testing import make_request

from .conftest import ScriptedServer

VOCABULARY = 49_152
BEGIN = 1
"""`<|im_start|>`, which the tokenizer does not put there by itself."""
KERNEL_NOISE = 0.06
"""Nats; a token is computed alone or with others in one batch, by different kernels."""


@pytest.fixture
async def client(smollm: Model) -> AsyncIterator[JsonClient]:
    """A connection of the test's own to the engine."""
    client = connect(smollm)
    yield client
    await client.aclose()


def connect(model: Model) -> JsonClient:
    """Connect to the engine of a model."""
    assert isinstance(model, LlamaCppModel)
    return JsonClient(
        OpenAICompatibleSettings(base_url=f"{model.engine.address}/v1"),
        streamed=StreamedResponse,
        key=model.engine.key,
    )


async def written_by_force(client: JsonClient, prefix: list[int], tokens: list[int]) -> float:
    """Let a grammar of tokens write a text of ASCII, and add up what the model thinks of each."""
    body: dict[str, Any] = {
        "prompt": prefix,
        "n_predict": len(tokens),
        "temperature": 0,
        "n_probs": 1,
        "id_slot": 0,
        "grammar": "root ::= " + " ".join(f"<[{token}]>" for token in tokens),
    }
    answer = await client.post("/completion", body, at_root=True)
    told = answer["completion_probabilities"]
    assert [one["id"] for one in told] == tokens
    return math.fsum(one["logprob"] for one in told)


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


async def test_an_empty_prompt_is_the_token_that_begins_a_text(
    smollm: Model, client: JsonClient
) -> None:
    """As lm-evaluation-harness, also where the tokenizer puts none there by itself."""
    texts = ("The sky", " the", "<|im_start|>The sky")
    requests = [
        replace(make_request(prompt, mode="loglikelihood"), continuations=texts)
        for prompt in ("", " ", "<|im_start|>")
    ]

    empty, space, begun = [(await smollm.generate(one)).loglikelihoods for one in requests]

    for text, found in zip(("The sky", " the", "The sky"), empty, strict=True):
        tokens = await tokenize(client, text, special=False)
        assert found.logprob == pytest.approx(
            await written_by_force(client, [BEGIN], tokens), abs=KERNEL_NOISE
        )
        assert found.n_tokens == len(tokens)
    assert [one.n_tokens for one in begun[:2]] == [2, 1]
    assert [one.logprob for one in begun[:2]] == pytest.approx(
        [one.logprob for one in empty[:2]], abs=KERNEL_NOISE
    )
    assert space[1].n_tokens == len(await tokenize(client, "  the", special=False))


@pytest.mark.parametrize("n_tokens", [1, 63, 64, 130])
async def test_a_whole_text_is_scored_in_windows(n_tokens: int) -> None:
    """Those of lm-evaluation-harness, one token shorter than the context, and each by itself."""
    small = LlamaCppSettings(context_size=64, n_parallel=1)
    model = await LlamaCppProvider(small).open("smollm2-135m-instruct")
    assert isinstance(model, LlamaCppModel)
    client = connect(model)
    sentence = "The tower is 324 metres tall, Mt. Fuji is taller, and who knows them all? "
    tokens = (await tokenize(client, sentence * 8, special=True))[:n_tokens]
    text = (await client.post("/detokenize", {"tokens": tokens}, at_root=True))["content"]
    assert await tokenize(client, text, special=True) == tokens
    expected, n_done = 0.0, 0
    while n_done < n_tokens:
        end = min(n_done + 63, n_tokens)
        window = [BEGIN, *tokens][max(0, end - 63) : n_done + 1]
        expected += await written_by_force(client, window, tokens[n_done:end])
        n_done = end

    generation = await model.generate(make_request(text, mode="rolling"))

    (score,) = generation.loglikelihoods
    await client.aclose()
    await model.aclose()
    assert score.logprob == pytest.approx(expected, abs=KERNEL_NOISE)
    assert (score.n_tokens, score.is_greedy) == (n_tokens, False)
    assert generation.n_completion_tokens == 0


async def test_a_text_without_tokens_has_no_score(smollm: Model) -> None:
    with pytest.raises(ModelError) as caught:
        await smollm.generate(make_request("", mode="rolling"))

    assert (caught.value.kind, caught.value.what) == ("bad_request", "there is no token to score")


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
    whole = make_request("The capital of France is Paris.", mode="rolling")
    own, own_whole = await smollm.generate(request), await smollm.generate(whole)
    settings = OpenAICompatibleSettings(
        base_url=f"{smollm.engine.address}/v1", api_key=smollm.engine.key, loglikelihood="llama_cpp"
    )
    remote = await OpenAICompatibleProvider(settings).open("x")

    found, found_whole = await remote.generate(request), await remote.generate(whole)

    await remote.aclose()
    assert found_whole.loglikelihoods[0].logprob == pytest.approx(
        own_whole.loglikelihoods[0].logprob, abs=KERNEL_NOISE * 7
    )
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
