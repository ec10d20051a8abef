"""A model that believes its server is found out."""

from __future__ import annotations

from typing import Any

import pytest

from llmeval_core.errors import ModelError
from llmeval_core.records import Generation
from llmeval_core.testing import check_odd_answers, make_request, odd_answers

GOOD: Any = {"text": "Paris", "usage": {"n": 3}}


async def careful(answer: Any) -> Generation:
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise ModelError("malformed", "no text")
    return Generation((text,))


async def trusting(answer: Any) -> Generation:
    return Generation((answer["text"],), n_prompt_tokens=3)


async def test_a_careful_model_passes() -> None:
    n_tried = await check_odd_answers(careful, GOOD, request=make_request())

    assert n_tried == len(list(odd_answers(GOOD)))
    assert n_tried > 150


async def test_another_exception_is_named_with_its_answer() -> None:
    with pytest.raises(AssertionError) as caught:
        await check_odd_answers(trusting, GOOD, request=make_request())

    assert str(caught.value) == "the answer = None: TypeError; only ModelError is understood"


async def test_a_value_that_is_handed_on_is_named_with_its_answer() -> None:
    async def ask(answer: Any) -> Generation:
        return Generation(
            ("x",), n_prompt_tokens=answer.get("n") if isinstance(answer, dict) else 0
        )

    with pytest.raises(AssertionError) as caught:
        await check_odd_answers(ask, {"n": 3}, request=make_request())

    assert str(caught.value) == (
        "n = True: the model's answer is not usable: n_prompt_tokens is True"
    )


def test_each_place_is_filled_and_the_answer_itself_is_left_as_it_was() -> None:
    places = {what.partition(" ")[0] for what, _ in odd_answers({"a": [{"b": 1}]})}

    assert places == {"the", "a", "a[0]", "a[0].b"}
    assert ("a[0].b left out", {"a": [{}]}) in list(odd_answers({"a": [{"b": 1}]}))
