"""The model that answers with the question."""

from __future__ import annotations

from dataclasses import replace

import pytest
from llmeval_models.echo import EchoProvider
from llmeval_models.model_settings import EchoSettings

from llmeval_core.hooks import GenerationSettings, ModelError
from llmeval_core.testing import check_model, make_request


async def test_it_keeps_the_promises_of_a_provider() -> None:
    answers = await check_model(EchoProvider(EchoSettings()), "any")

    assert sorted(answers) == ["chat", "completion", "loglikelihood", "rolling"]
    assert answers["chat"].text == "What is the capital of France?"
    assert [item.logprob for item in answers["loglikelihood"].loglikelihoods] == [-6.0, -5.0]


async def test_a_fixed_answer_is_given_as_often_as_asked() -> None:
    model = await EchoProvider(EchoSettings(answer="42")).open("any")
    request = replace(make_request(), settings=GenerationSettings(n=3))

    generation = await model.generate(request)

    assert generation.texts == ("42", "42", "42")


async def test_each_nth_request_fails() -> None:
    model = await EchoProvider(EchoSettings(fail_every=2)).open("any")

    await model.generate(make_request())
    with pytest.raises(ModelError, match="echo fails every 2 requests, as it was told"):
        await model.generate(make_request())
    await model.generate(make_request())


def test_the_answer_is_part_of_the_identity() -> None:
    plain = EchoProvider(EchoSettings()).describe("any")
    fixed = EchoProvider(EchoSettings(answer="42")).describe("any")

    assert plain.cache_key != fixed.cache_key
