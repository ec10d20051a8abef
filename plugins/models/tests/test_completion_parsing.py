"""How an answer is read: texts must be right, what stands beside them may be unknown."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_models.http.body_parsing import BodyError, read_body
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.openai.completion_parsing import read_answer
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.generation import check_generation
from llmeval_core.hooks import Generation, ModelError, SampleResult, fingerprint
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.testing import check_odd_answers, make_request, make_sample

MESSAGE: dict[str, Any] = {"role": "assistant", "content": "Paris"}
CHOICE: dict[str, Any] = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
USAGE: dict[str, Any] = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
CHAT: dict[str, Any] = {"id": "x", "model": "m", "choices": [CHOICE], "usage": USAGE}


def read(answer: Any, *, n: int = 1) -> Generation:
    return read_answer(answer, n=n, latency_s=0.5)


def said(*, finish_reason: Any = "stop", **message: Any) -> Generation:
    """Read an answer with this message; Any: JSON."""
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return read({"choices": [choice]})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (42, "the content of the answer is a number, not a text"),
        (0.5, "the content of the answer is a number, not a text"),
        (True, "the content of the answer is true or false, not a text"),
        ({"text": "Paris"}, "the content of the answer is an object, not a text"),
        ([42], "a part of the answer is a number"),
        ([None], "a part of the answer is null"),
        ([["Paris"]], "a part of the answer is a list"),
        ([{"type": "text", "text": 42}], "the text of a part of the answer is a number"),
        ([{"type": "text", "text": ["x"]}], "the text of a part of the answer is a list"),
        ([{}], "the text of a part of the answer is null"),
        ([{"type": {}, "text": "x"}], "the type of a part of the answer is an object"),
    ],
)
def test_content_that_is_no_text_is_malformed(content: Any, what: str) -> None:
    """s03-odd-answer-fields-crash: never `str(value)`."""
    with pytest.raises(ModelError) as caught:
        said(content=content)

    assert (caught.value.kind, caught.value.what) == ("malformed", what)


@pytest.mark.parametrize("odd", [{"type": "stop"}, ["stop"], 1, True, 0.5, "x" * 10_000])
def test_an_odd_side_field_is_unknown_and_the_answer_counts(odd: Any) -> None:
    """s03-odd-answer-fields-crash: finish_reason, model and others as objects."""
    choice = CHOICE | {"finish_reason": odd}

    found = read({"choices": [choice], "model": odd, "usage": odd, "id": odd, "object": odd})

    assert found == Generation(("Paris",), latency_s=0.5, stop_reasons=("unknown",))


@pytest.mark.parametrize(
    ("told", "count"),
    [
        (0.5, None),
        (5.0, 5),
        (0, 0),
        ("5", None),
        (True, None),
        ({}, None),
        ([5], None),
        (-5, None),
        (10**12, None),
        (10**400, None),
        (1e300, None),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_a_count_that_cannot_be_is_unknown(told: Any, count: int | None) -> None:
    """s02-odd-usage-crashes-and-poisons: never negative, never half, never absurd."""
    found = read(CHAT | {"usage": {"prompt_tokens": told, "completion_tokens": told}})

    assert (found.n_prompt_tokens, found.n_completion_tokens) == (count, count)
    assert found.texts == ("Paris",)


@pytest.mark.parametrize(
    ("usage", "written", "thought"),
    [
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}, 9, 7),
        ({"output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 7}}, 9, 7),
        ({"completion_tokens": 9, "reasoning_tokens": 7}, 9, 7),
        ({"completion_tokens": 9, "completion_tokens_details": None}, 9, None),
        ({"completion_tokens": 9, "completion_tokens_details": [7]}, 9, None),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": -7}}, 9, None),
        ({"completion_tokens": 9, "reasoning_tokens": 70}, 9, None),
        # xAI counts reasoning apart, which only the total shows.
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 9,
                "reasoning_tokens": 70,
                "total_tokens": 84,
            },
            79,
            70,
        ),
    ],
)
def test_tokens_of_reasoning(usage: Any, written: int, thought: int | None) -> None:
    found = read(CHAT | {"usage": usage})

    assert (found.n_completion_tokens, found.n_reasoning_tokens) == (written, thought)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Paris", "reasoning_content": "London?"},
        {"content": "Paris", "reasoning": "London?"},
        {"content": "Paris", "reasoning": {"content": "London?"}},
        {"content": "Paris", "reasoning": {"summary": [{"text": "Lon"}, {"text": "don?"}]}},
        {"content": "Paris", "thinking": "London?"},
        {
            "content": "Paris",
            "reasoning": "London?",
            "reasoning_details": [{"type": "reasoning.text", "text": "London?"}],
        },
        {
            "content": "Paris",
            "reasoning": None,
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "London?"},
                {"type": "reasoning.encrypted", "data": "c2VjcmV0"},
            ],
        },
        {"content": "Paris", "thinking_blocks": [{"type": "thinking", "thinking": "London?"}]},
        {
            "content": [
                {"type": "thinking", "thinking": "London?"},
                {"type": "text", "text": "Paris"},
            ]
        },
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "London?"}]},
                {"type": "redacted_thinking", "data": "c2VjcmV0"},
                {"type": "text", "text": "Paris"},
            ]
        },
        {"content": [{"type": "reasoning", "text": "London?"}, "Paris"]},
    ],
)
def test_a_thought_is_told_apart_and_never_part_of_the_text(message: dict[str, Any]) -> None:
    """a01-thinking-tags: where the server tells it apart; tags are the core's business."""
    found = said(**message)

    assert (found.texts, found.reasonings) == (("Paris",), ("London?",))


@pytest.mark.parametrize("odd", [42, True, {}, [], [42], {"x": "y"}, "", [[[[[[[[[["x"]]]]]]]]]]])
def test_an_odd_thought_is_none(odd: Any) -> None:
    found = said(content="Paris", reasoning_content=odd, reasoning=odd, reasoning_details=odd)

    assert (found.texts, found.reasonings) == (("Paris",), ())


def test_tags_stay_in_the_text() -> None:
    assert said(content="<think>London?</think>Paris").texts == ("<think>London?</think>Paris",)


@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "refusal": "I cannot."},
        {"content": [{"type": "refusal", "refusal": "I cannot."}]},
    ],
)
def test_a_refusal_is_told_apart(message: dict[str, Any]) -> None:
    """s06-cut-off-answers-are-silent: a refusal is no empty answer."""
    found = said(**message)

    assert (found.texts, found.refusal, found.stop_reasons) == (("",), "I cannot.", ("refusal",))


@pytest.mark.parametrize("refusal", [None, "", False, 0, {}, ["I cannot."]])
def test_no_refusal(refusal: Any) -> None:
    found = said(content="Paris", refusal=refusal)

    assert (found.texts, found.refusal, found.stop_reasons) == (("Paris",), None, ("stop",))


@pytest.mark.parametrize("word", ["tool_calls", "stop", None, {}])
@pytest.mark.parametrize(
    "message",
    [
        {"content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
        {"content": "", "function_call": {"name": "f", "arguments": "{}"}},
        {"content": [{"type": "tool_use", "id": "1"}]},
    ],
)
def test_a_tool_call_without_text(word: Any, message: dict[str, Any]) -> None:
    """s06-cut-off-answers-are-silent."""
    found = said(finish_reason=word, **message)

    assert (found.texts, found.stop_reasons) == (("",), ("tool_calls",))


def test_each_choice_has_its_stop_reason() -> None:
    """s06-cut-off-answers-are-silent."""
    words = ["stop", "length", "content_filter", "end_turn", "MAX_TOKENS", "what?"]
    choices = [CHOICE | {"index": i, "finish_reason": word} for i, word in enumerate(words)]

    found = read({"choices": choices}, n=6)

    assert found.finish_reason == "stop"
    assert found.stop_reasons == ("stop", "length", "content_filter", "stop", "length", "unknown")


def test_choices_stand_in_the_order_of_their_index() -> None:
    def choice(index: Any, text: str) -> dict[str, Any]:
        thought = f"so {text}" if text == "c" else None
        return {"index": index, "message": {"content": text, "reasoning": thought}}

    mixed = [choice(2, "c"), choice(0, "a"), choice(1, "b")]

    found = read({"choices": mixed}, n=3)

    assert (found.texts, found.reasonings) == (("a", "b", "c"), (None, None, "so c"))
    assert read({"choices": mixed}).texts == ("a",)  # more than was asked for
    unordered_by: Any = ([0, 0], [None, 1], ["1", "0"], [True, 0], [{}, []])
    for odd in unordered_by:
        unordered = [choice(index, text) for index, text in zip(odd, "xy", strict=True)]
        assert read({"choices": unordered}, n=2).texts == ("x", "y")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Paris \ud83d", "Paris \ufffd"),
        ("\ude00", "\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("nul \x00 bell \x07", "nul \x00 bell \x07"),
    ],
)
def test_halves_of_characters(text: str, whole: str) -> None:
    assert said(content=text, reasoning=text).texts == (whole,)


BODIES = {
    "with a byte order mark": b"\xef\xbb\xbf" + json.dumps(CHAT).encode(),
    "after white space": b"\n\n  \n" + json.dumps(CHAT).encode() + b"\n",
    "in UTF-16": json.dumps(CHAT).encode("utf-16"),
    "with a key twice": json.dumps(CHAT).encode().replace(b'"id"', b'"model": 1, "id"'),
    "with a very long number": json.dumps(CHAT).encode().replace(b'"x"', b"9" * 10_000),
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in BODIES.items()])
def test_an_answer_is_read(body: bytes) -> None:
    found = read(read_body(body, "application/json", StreamedResponse))

    assert (found.texts, found.served_by, found.n_prompt_tokens) == (("Paris",), "m", 5)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 200_000 + b"]" * 200_000, "the answer is nested too deeply"),
        (b'{"a":' * 200_000, "the answer is nested too deeply"),
        (b'{"x": 1' + b"0" * 5000 + b", " + b"[" * 200_000, "the answer is not JSON"),
        ("{'choices': ü}".encode("latin-1"), "the answer is not UTF-8"),
        (b"{'choices': []}", "the answer is not JSON"),
        (b'{"choices": []', "the answer is not JSON"),
        (b'{"choices": []} x', "the answer is not JSON"),
        (b"\x00\x01\x02", "the answer is not JSON"),
        (b"", "the answer is not JSON"),
    ],
)
def test_a_body_that_is_no_json(body: bytes, reason: str) -> None:
    """s03-odd-answer-fields-crash: deep JSON."""
    with pytest.raises(BodyError) as caught:
        read_body(body, None, StreamedResponse)

    assert (caught.value.kind, caught.value.reason) == ("malformed", reason)


RICH = {
    "model": "m",
    "usage": USAGE | {"completion_tokens_details": {"reasoning_tokens": 1}},
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "error": None,
            "message": {
                "content": [
                    {"type": "text", "text": "Paris"},
                    {"type": "thinking", "thinking": [{"type": "text", "text": "x"}]},
                ],
                "refusal": None,
                "reasoning_content": "so",
                "reasoning_details": [{"type": "reasoning.text", "text": "so"}],
                "tool_calls": [{"id": "1"}],
            },
        }
    ],
    "error": None,
}
COMPLETION = {"choices": [{"index": 0, "text": "Paris", "logprobs": None, "finish_reason": "stop"}]}


def ask(answer: Any) -> Generation:
    """Read an answer as the client and the model do; Any: JSON of any shape."""
    inner = embedded_error_in(answer)
    if inner is not None:
        assert 400 <= inner.status < 600
        assert json.loads(inner.as_json())
        raise ModelError("overloaded", inner.message)
    return read_answer(answer, n=1, latency_s=0.1)


@pytest.mark.parametrize("good", [RICH, COMPLETION], ids=["chat", "completion"])
async def test_whatever_stands_at_any_place_only_our_errors_come_of_it(
    good: Any, tmp_path: Path
) -> None:
    """s02-odd-usage-crashes-and-poisons, s03-odd-answer-fields-crash: every place, many values.

    What is read can be kept and is read back equal.
    """
    found: list[Generation] = []

    async def one(answer: Any) -> Generation:
        generation = ask(answer)
        found.append(generation)
        return generation

    assert await check_odd_answers(one, good, request=make_request()) > 150
    with Journal(tmp_path) as journal:
        task = journal.begin_task("f", model="m", key="k", metrics=[])
        for index, generation in enumerate(found):
            request = replace(make_request(), fingerprint=fingerprint(index))
            sample = make_sample(id=str(index))
            journal.put(task, SampleResult(index, sample, request, generation, {}))
        await journal.flush()
        kept = [
            result.generation for result in journal.read(JournalQueries.sample_results, task.id)
        ]

    assert len(found) > 50
    assert kept == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "thinking", "error", "code", "index"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(["message", "text", "index", "finish_reason"]), JSON), JSON)
def test_whatever_a_choice_is_only_our_errors_come_of_it(choice: Any, other: Any) -> None:
    """s03-odd-answer-fields-crash."""
    for answer in (
        {"choices": [choice, other], "usage": other, "model": other},
        {"choices": [{"message": choice}], "error": other},
        {"choices": [{"message": {"content": [choice, other], "reasoning": other}}]},
        other,
    ):
        with contextlib.suppress(ModelError):
            check_generation(make_request(), ask(answer))
