"""What a model gives is refused before it can be scored, counted or kept, if it is no answer."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval_core.config import RetryConfig
from llmeval_core.contracts import ExecutionRequest
from llmeval_core.errors import ModelError, PluginError
from llmeval_core.generation import RequestRunner, check_generation
from llmeval_core.records import (
    Failure,
    Generation,
    GenerationSettings,
    Loglikelihood,
    Request,
)
from llmeval_core.testing import FakeModel, make_generation, make_request

NAN = float("nan")
ODD: Any = [
    {"texts": ["Paris"]},
    {"texts": (42,)},
    {"texts": (None,)},
    {"texts": "Paris"},
    {"loglikelihoods": [Loglikelihood(-1.0)]},
    {"finish_reason": {"type": "stop"}},
    {"served_by": {"id": "m"}},
    {"refusal": 0},
    {"n_prompt_tokens": 0.5},
    {"n_prompt_tokens": "5"},
    {"n_prompt_tokens": True},
    {"n_completion_tokens": -1},
    {"n_completion_tokens": 10**400},
    {"n_reasoning_tokens": NAN},
    {"latency_s": NAN},
    {"latency_s": -0.1},
    {"latency_s": None},
    {"retry_after_s": float("inf")},
    {"retry_after_s": "soon"},
    {"stop_reasons": ("stop", "stop")},
    {"stop_reasons": ["stop"]},
    {"stop_reasons": ("eos",)},
    {"stop_reasons": ({},)},
    {"reasonings": "I think"},
    {"reasonings": (None, "I think")},
    {"reasonings": (["I think"],)},
]


class Odd(FakeModel):
    """Answers everything with one answer; Any: anything may be wrong with it."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._given = answer

    async def generate(self, request: Request) -> Generation:
        self.requests.append(request)
        given: Generation = self._given
        return given


def weighed(*values: Any) -> Generation:
    return Generation(loglikelihoods=tuple([Loglikelihood(value) for value in values]))


def refused(request: Request, generation: object) -> ModelError:
    with pytest.raises(ModelError) as caught:
        check_generation(request, generation)
    return caught.value


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_field_of_a_wrong_type_or_value_is_malformed(odd: dict[str, Any]) -> None:
    """s02-odd-usage-crashes-and-poisons, s03-odd-answer-fields-crash: whatever plugin."""
    error = refused(make_request(), replace(make_generation("Paris"), **odd))

    assert error.kind == "malformed"
    assert error.what.startswith("the model's answer is not usable: ")
    assert len(error.what) < 120


@pytest.mark.parametrize(
    "value",
    [NAN, float("inf"), -float("inf"), 0.5, None, "-1", True, 10**400, -(10**400)],
    ids=lambda value: str(value)[:9],
)
def test_a_log_likelihood_is_a_number_up_to_0(value: Any) -> None:
    error = refused(make_request(mode="loglikelihood"), weighed(-1.0, value))

    assert error.kind == "malformed"
    assert error.what.endswith(", not a number up to 0")


@pytest.mark.parametrize(
    "item",
    [
        -1.0,
        (-1.0, 1, None),
        Loglikelihood(-1.0, n_tokens=-1),
        Loglikelihood(-1.0, n_tokens=1.5),  # type: ignore[arg-type]
        Loglikelihood(-1.0, is_greedy=1),  # type: ignore[arg-type]
    ],
)
def test_a_log_likelihood_has_its_own_fields_right(item: Any) -> None:
    generation = Generation(loglikelihoods=(Loglikelihood(-1.0), item))

    assert refused(make_request(mode="loglikelihood"), generation).kind == "malformed"


def test_as_many_answers_as_were_asked_for() -> None:
    three = replace(make_request(), settings=GenerationSettings(n=3))

    error = refused(three, make_generation("Paris", "Rome"))

    assert error.kind == "bad_request"
    assert str(error) == (
        "asked for 3 answers, got 2\n  try:   this model does not know `n`; leave it at 1"
    )
    assert refused(make_request(), make_generation()).what == "asked for 1 answers, got 0"


def test_what_is_no_generation_is_a_bug_of_the_plugin() -> None:
    with pytest.raises(PluginError, match="the model gave a str, not a Generation"):
        check_generation(make_request(), "Paris")


def test_good_answers_pass() -> None:
    check_generation(make_request(), make_generation("Paris"))
    check_generation(make_request(), Generation(("",)))
    check_generation(make_request(mode="loglikelihood"), make_generation(logprobs=(-1.0, 0.0)))


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(Generation.__dataclass_fields__)),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
        max_leaves=5,
    ),
)
def test_nothing_but_our_errors_comes_of_any_value(field: str, value: Any) -> None:
    generation = replace(make_generation("Paris"), **{field: value})

    with contextlib.suppress(ModelError):
        check_generation(make_request(), generation)


async def test_an_odd_answer_is_tried_again_then_that_sample_has_failed() -> None:
    model = Odd(Generation((42,), latency_s=0.1))  # type: ignore[arg-type]

    async def opened() -> FakeModel:
        return model

    async def at_once(seconds: float) -> None:
        return None

    job = ExecutionRequest("fake/m", opened, 4, RetryConfig(max_attempts=3), 10.0)
    answer = await RequestRunner(model, job, sleep=at_once).send(make_request())

    assert answer == Failure("malformed", "the model's answer is not usable: a text is of type int")
    assert len(model.requests) == 3
