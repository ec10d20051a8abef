"""`check_model` finds every broken promise."""

from __future__ import annotations

import socket
from itertools import count
from typing import Any

import pytest

from llmeval_core.contracts import ModelInfo, Readiness
from llmeval_core.errors import ModelError
from llmeval_core.records import Generation, Loglikelihood, Request
from llmeval_core.testing import FakeModel, check_model

UNUSABLE = "the model's answer is not usable:"
NUMBERS = count()
"""For what must not change, and does."""


class Odd(FakeModel):
    """Answers everything with what a test gives it; Any: anything may be wrong."""

    def __init__(self, answer: Any, mode: Any = "chat") -> None:
        super().__init__(modes=frozenset({mode}))
        self._given = answer

    async def generate(self, request: Request) -> Generation:
        given: Generation = self._given
        return given


class Described(FakeModel):
    """Is described by a function of its own."""

    def __init__(self, describe: Any) -> None:
        super().__init__()
        self._describe = describe

    def describe(self, model: str) -> ModelInfo:
        info: ModelInfo = self._describe(model)
        return info


class OneAtATime(FakeModel):
    """Serves one request at a time."""

    def describe(self, model: str) -> ModelInfo:
        return ModelInfo("one", frozenset({"chat"}), max_concurrency=1)


def look_up(model: str) -> ModelInfo:
    socket.create_connection(("127.0.0.1", 9))
    return ModelInfo("x", frozenset({"chat"}))


def weighed(*logprobs: float) -> Generation:
    return Generation(loglikelihoods=tuple(Loglikelihood(logprob) for logprob in logprobs))


async def test_a_good_model_is_asked_in_each_mode_and_closed() -> None:
    model = FakeModel(latency_s=0.001)

    answers = await check_model(model, "any")

    assert sorted(answers) == ["chat", "completion", "loglikelihood"]
    assert (model.n_opened, model.n_closed, model.most_under_way) == (1, 1, 2)


async def test_a_model_that_serves_one_request_is_asked_one_by_one() -> None:
    model = OneAtATime(latency_s=0.001)

    await check_model(model, "any")

    assert (len(model.requests), model.most_under_way) == (2, 1)


async def test_a_model_that_fails_is_closed_and_its_error_is_seen() -> None:
    model = FakeModel(fail_first=[ModelError("auth", "no key")])

    with pytest.raises(ModelError, match="no key"):
        await check_model(model, "any")

    assert model.n_closed == 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (FakeModel(modes=frozenset()), "it claims no mode"),
        (Odd(Generation(("x",)), mode="shout"), "there is no mode 'shout'"),
        (FakeModel(cache_key=""), "its cache_key is empty"),
        (
            Described(lambda model: ModelInfo("x", frozenset({"chat"}), max_concurrency=0)),
            "max_concurrency below 1",
        ),
        (
            Described(lambda model: ModelInfo(f"x{next(NUMBERS)}", frozenset({"chat"}))),
            "describe() says something else the second time",
        ),
        (Described(look_up), "describe() uses the network"),
        (Odd("text"), "chat: a str is no Generation"),
        (Odd(Generation()), "chat: asked for 1 answers, got 0"),
        (Odd(Generation((7,))), f"chat: {UNUSABLE} a text is of type int"),  # type: ignore[arg-type]
        (Odd(Generation(("x",), latency_s=-1.0)), f"chat: {UNUSABLE} latency_s is -1.0"),
        (Odd(Generation(("x",), n_prompt_tokens=-1)), f"chat: {UNUSABLE} n_prompt_tokens is -1"),
        (
            Odd(weighed(-1.0), mode="loglikelihood"),
            f"loglikelihood: {UNUSABLE} 1 log-likelihoods for 2 choices",
        ),
        (
            Odd(weighed(-1.0, 0.5), mode="loglikelihood"),
            f"loglikelihood: {UNUSABLE} a log-likelihood is 0.5, not a number up to 0",
        ),
    ],
)
async def test_a_broken_promise_is_named(model: FakeModel, message: str) -> None:
    with pytest.raises(AssertionError) as caught:
        await check_model(model, "any")

    assert str(caught.value).splitlines()[0] == message


async def test_a_check_that_connects_or_gives_nothing_is_found() -> None:
    class Asking(FakeModel):
        def check(self, model: str) -> Readiness:
            socket.getaddrinfo("localhost", 1)
            return Readiness()

    class Silent(FakeModel):
        def check(self, model: str) -> None:
            """Say nothing."""

    with pytest.raises(AssertionError, match=r"check\(\) uses the network"):
        await check_model(Asking(), "m")
    with pytest.raises(AssertionError, match=r"check\(\) gave a NoneType"):
        await check_model(Silent(), "m")
