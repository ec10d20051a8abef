"""Calls of tools as servers write them: whole, in pieces, and in ways that nobody documents."""

from __future__ import annotations

from typing import Any

import pytest
from llmeval_models.answers.tool_calls import read_calls
from llmeval_models.openai.completion_parsing import read_answer
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.hooks import Generation, ModelError


def piece(**function: Any) -> dict[str, Any]:  # Any: JSON
    return {"index": 0, "function": function}


def streamed(*deltas: dict[str, Any]) -> Generation:
    chunks = StreamedResponse()
    for delta in deltas:
        chunks.add({"choices": [{"index": 0, "delta": delta}]})
    chunks.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    return read_answer(chunks.joined(), n=1, latency_s=0.1, retry_after_s=None)


def test_a_call_has_all_its_pieces_however_many_they_are() -> None:
    text = '{"text": "' + "あ" * 5000 + '"}'

    generation = streamed(
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "say", "arguments": ""}}]},
        *({"tool_calls": [piece(arguments=character)]} for character in text),
    )

    (call,) = generation.tool_calls
    assert (call.id, call.name, call.arguments) == ("a", "say", text)


def test_a_character_that_two_pieces_share_is_one() -> None:
    (call,) = read_calls(
        {"tool_calls": [piece(name="say", arguments='"\ud83d'), piece(arguments='\ude00"')]}
    )

    assert call.arguments == '"😀"'


@pytest.mark.parametrize(
    ("given", "kept"),
    [({"a": 1}, '{"a": 1}'), ([1], "[1]"), (5, "5"), (False, "false"), (None, ""), ("", "")],
)
def test_arguments_that_are_no_object_stay_what_they_are(given: Any, kept: str) -> None:
    (call,) = read_calls({"tool_calls": [piece(name="f", arguments=given)]})

    assert call.arguments == kept


def test_more_calls_than_an_answer_may_have_are_no_answer() -> None:
    calls = [{"function": {"name": "f"}}] * 1001

    assert len(read_calls({"tool_calls": calls[:1000]})) == 1000
    with pytest.raises(ModelError, match="the answer calls tools more than 1,000 times"):
        read_calls({"tool_calls": calls})


def test_a_streamed_call_in_the_older_words_is_put_together() -> None:
    generation = streamed(
        {"function_call": {"name": "say", "arguments": ""}},
        {"function_call": {"arguments": '{"a":'}},
        {"function_call": {"arguments": " 1}"}},
    )

    (call,) = generation.tool_calls
    assert (call.name, call.arguments) == ("say", '{"a": 1}')
