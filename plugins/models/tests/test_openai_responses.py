"""OpenAI's Responses API: what is sent, how answers and errors are read, streams."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_models.http.body_parsing import BodyError, read_body
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.model_settings import OpenAIResponsesSettings, OpenAISettings
from llmeval_models.openai.openai_provider import OpenAIProvider
from llmeval_models.openai_responses.response_events import ResponseEvents
from llmeval_models.openai_responses.response_parsing import read_response
from llmeval_models.openai_responses.responses_provider import OpenAIResponsesProvider
from pydantic import SecretStr

from llmeval_core.generation import check_generation
from llmeval_core.hooks import (
    FailureKind,
    Generation,
    Message,
    ModelError,
    Reasoning,
    Request,
)
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer, asking

KEY = "sk-12345"


def summary(*texts: str) -> dict[str, Any]:
    told = [{"type": "summary_text", "text": text} for text in texts]
    return {"id": "rs_1", "type": "reasoning", "summary": told, "encrypted_content": "c2VjcmV0"}


def message(*parts: Any, **more: Any) -> dict[str, Any]:
    said = [{"type": "output_text", "text": part, "annotations": []} for part in parts]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": said,
        **more,
    }


RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1.0,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "gpt-x-2026",
    "output": [summary("London?", "No."), message("Pa", "ris")],
    "reasoning": {"effort": "low", "summary": "auto"},
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 16,
    },
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


async def ask(
    server: ScriptedServer, request: Request | None = None, name: str = "gpt-x", **given: Any
) -> Generation:
    settings = OpenAIResponsesSettings(base_url=server.base_url, api_key=SecretStr(KEY), **given)
    model = await OpenAIResponsesProvider(settings).open(name)
    try:
        return await model.generate(request or make_request())
    finally:
        await model.aclose()


async def failure(server: ScriptedServer, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(server, request)
    return caught.value


async def test_an_answer_is_read_whole(server: ScriptedServer) -> None:
    server.answers(RESPONSE)

    generation = await ask(server)

    assert replace(generation, latency_s=0.0) == Generation(
        texts=("Paris",),
        finish_reason="completed",
        n_prompt_tokens=9,
        n_completion_tokens=7,
        served_by="gpt-x-2026",
        stop_reasons=("stop",),
        reasonings=("London?\n\nNo.",),
        n_reasoning_tokens=5,
    )


async def test_a_request_has_what_the_settings_say(server: ScriptedServer) -> None:
    server.answers(RESPONSE)
    turns = (Message("system", "Be brief."), Message("user", "富士山?"), Message("assistant", "?"))
    request = replace(
        asking(temperature=0.7, top_p=0.9, reasoning=Reasoning(effort="low")), messages=turns
    )

    await ask(server, request, summary="auto", extra_body={"reasoning": {"context": "auto"}})

    assert server.paths == ["/v1/responses"]
    assert server.bodies == [
        {
            "model": "gpt-x",
            "input": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "富士山?"},
                {"role": "assistant", "content": "?"},
            ],
            "store": False,
            "max_output_tokens": 16,
            "temperature": 0.7,
            "top_p": 0.9,
            "reasoning": {"summary": "auto", "effort": "low", "context": "auto"},
        }
    ]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


async def test_what_is_not_set_is_not_sent(server: ScriptedServer) -> None:
    server.answers(RESPONSE)

    await ask(server, asking(max_tokens=None, temperature=None))

    assert sorted(server.bodies[0]) == ["input", "model", "store"]


async def test_what_the_api_does_not_know_is_told_and_stop_texts_are_cut_here(
    server: ScriptedServer,
) -> None:
    server.answers(RESPONSE | {"output": [message("Paris\nQ: Rome?")]})

    generation = await ask(server, asking(seed=3, stop=("\n",)))

    assert (generation.texts, generation.not_sent) == (("Paris",), ("seed", "stop"))
    assert not {"seed", "stop"} & server.bodies[0].keys()


async def test_a_reasoning_model_is_asked_without_temperature_from_the_start(
    server: ScriptedServer,
) -> None:
    server.answers(RESPONSE)

    generation = await ask(server, name="gpt-5-mini")

    assert "temperature" not in server.bodies[0]
    assert server.bodies[0]["max_output_tokens"] == 16
    assert generation.not_sent == ("temperature",)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"n": 2}, "asked for 2 answers, and this API gives one to each request"),
        ({"reasoning": Reasoning(budget=9)}, "this API has no word for `reasoning.budget`"),
    ],
)
async def test_what_the_api_cannot_do_is_refused_before_anything_is_sent(
    server: ScriptedServer, changes: dict[str, Any], what: str
) -> None:
    found = await failure(server, asking(**changes))

    assert (found.kind, found.what, server.bodies) == ("bad_request", what, [])


@pytest.mark.parametrize(
    ("changes", "word", "stop"),
    [
        ({}, "completed", "stop"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "max_output_tokens",
            "length",
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
            "content_filter",
            "content_filter",
        ),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_messages"}},
            "max_messages",
            "length",
        ),
        ({"status": "incomplete", "incomplete_details": None}, None, "unknown"),
        ({"status": "incomplete", "incomplete_details": {"reason": {}}}, None, "unknown"),
        (
            {"output": [message("Par", status="incomplete")]},
            "max_output_tokens",
            "length",
        ),
        ({"status": {}}, None, "unknown"),
    ],
)
async def test_why_an_answer_ended(
    server: ScriptedServer, changes: dict[str, Any], word: str | None, stop: str
) -> None:
    server.answers(RESPONSE | changes)

    found = await ask(server)

    assert (found.finish_reason, found.stop_reasons) == (word, (stop,))


async def test_thoughts_cut_off_before_the_answer_leave_it_empty(server: ScriptedServer) -> None:
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    server.answers(RESPONSE | cut | {"output": [summary("London?")]})
    thought = await ask(server)
    server.answers(RESPONSE | cut | {"output": []})
    nothing = await ask(server)

    assert (thought.texts, thought.reasonings) == (("",), ("London?",))
    assert (nothing.texts, nothing.reasonings) == (("",), ())
    assert thought.stop_reasons == nothing.stop_reasons == ("length",)


async def test_a_refusal_is_told_apart(server: ScriptedServer) -> None:
    refused = message()
    refused["content"] = [{"type": "refusal", "refusal": "I cannot."}]
    server.answers(RESPONSE | {"output": [refused]})

    found = await ask(server)

    assert (found.texts, found.refusal, found.stop_reasons) == (("",), "I cannot.", ("refusal",))


async def test_a_commentary_is_no_answer(server: ScriptedServer) -> None:
    output = [message("I look.", phase="commentary"), message("Paris", phase="final_answer")]
    server.answers(RESPONSE | {"output": output})

    found = await ask(server)

    assert (found.texts, found.reasonings) == (("Paris",), ("I look.",))


async def test_whole_thoughts_go_before_their_summary(server: ScriptedServer) -> None:
    whole = [{"type": "reasoning_text", "text": "London? No: Paris."}]
    server.answers(RESPONSE | {"output": [summary("x") | {"content": whole}, message("Paris")]})

    assert (await ask(server)).reasonings == ("London? No: Paris.",)


@pytest.mark.parametrize("kind", ["function_call", "web_search_call", "mcp_call"])
async def test_a_call_of_a_tool_without_text(server: ScriptedServer, kind: str) -> None:
    server.answers(RESPONSE | {"output": [{"type": kind, "name": "f", "arguments": "{}"}]})

    found = await ask(server)

    assert (found.texts, found.stop_reasons) == (("",), ("tool_calls",))


@pytest.mark.parametrize(
    ("code", "message_", "kind"),
    [
        ("server_error", "We had an error.", "overloaded"),
        ("rate_limit_exceeded", "Rate limit reached.", "rate_limit"),
        ("invalid_prompt", "flagged as potentially violating our usage policy", "filtered"),
        ("invalid_prompt", "Invalid prompt.", "bad_request"),
        ("bio_policy", "This is limited.", "filtered"),
        ("misalignment_policy_violation", "Stopped.", "filtered"),
        ("image_too_large", "Too large.", "bad_request"),
    ],
)
async def test_a_failed_answer_is_an_error(
    server: ScriptedServer, code: str, message_: str, kind: FailureKind
) -> None:
    told = {"code": code, "message": message_}
    server.answers(RESPONSE | {"status": "failed", "error": told, "output": []})

    found = await failure(server)

    assert (found.kind, found.what) == (kind, f"HTTP 200 with an error inside: {message_}")


async def test_a_status_says_more_than_the_words(server: ScriptedServer) -> None:
    told = {"error": {"message": f"no {KEY}", "type": "server_error", "code": None}}
    server.answers(told, status=429, Retry_After="3")

    found = await failure(server)

    assert (found.kind, found.what, found.retry_after_s) == ("rate_limit", "HTTP 429: no ***", 3.0)


def streamed(last: str = "response.completed", answer: Any = None) -> list[dict[str, Any]]:
    begun = RESPONSE | {"status": "in_progress", "output": []}
    return [
        {"type": "response.created", "response": begun, "sequence_number": 0},
        {"type": "response.output_text.delta", "delta": "Par", "sequence_number": 1},
        {"type": last, "response": answer or RESPONSE, "sequence_number": 2},
    ]


def as_events(found: Any) -> str:
    return "".join([f"event: message\ndata: {json.dumps(one)}\n\n" for one in found])


async def test_a_stream_is_the_same_answer(server: ScriptedServer) -> None:
    server.answers(RESPONSE)
    at_once = await ask(server)
    server.answers(as_events(streamed()), Content_Type="text/event-stream")

    pieces = await ask(server, stream=True)

    assert server.bodies[1]["stream"] is True
    assert replace(pieces, latency_s=0.0) == replace(at_once, latency_s=0.0)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (streamed()[:2], "connection"),
        (
            [*streamed()[:2], {"error": {"code": 429, "message": "slow down"}}],  # a gateway's
            "rate_limit",
        ),
        (
            [*streamed()[:2], {"type": "error", "code": "server_error", "message": "oh"}],
            "overloaded",
        ),
        (
            streamed(
                "response.failed",
                RESPONSE | {"status": "failed", "error": {"code": "rate_limit_exceeded"}},
            ),
            "rate_limit",
        ),
        (streamed(answer={"id": "x"}), "malformed"),
    ],
)
async def test_streams_that_are_no_answer(
    server: ScriptedServer, found: Any, kind: FailureKind
) -> None:
    server.answers(as_events(found), Content_Type="text/event-stream")

    assert (await failure(server)).kind == kind


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"id": "x"}, "the answer has no output, only: id"),
        ([1], "the answer has no output, only: list"),
        (RESPONSE | {"output": []}, "the answer has an empty output"),
        (RESPONSE | {"output": [None]}, "an item of the output is a NoneType"),
        (RESPONSE | {"output": [message(42)]}, "the text of a part of the answer is a number"),
        (
            RESPONSE | {"output": [{"type": "message", "content": 42}]},
            "the text of a part of the answer is a number",
        ),
        (
            RESPONSE | {"status": "queued", "output": []},
            "the answer is not finished: its status is 'queued'",
        ),
    ],
)
async def test_json_that_is_no_answer(server: ScriptedServer, body: Any, what: str) -> None:
    server.answers(body)

    found = await failure(server)

    assert (found.kind, found.what) == ("malformed", what)


def read(answer: Any) -> Generation:
    """Read an answer as the client and the model do; Any: JSON of any shape."""
    if embedded_error_in(answer) is not None:
        raise ModelError("overloaded", "an error inside")
    return read_response(answer, latency_s=0.1, retry_after_s=None)


async def test_whatever_stands_at_any_place_only_our_errors_come_of_it() -> None:
    async def one(answer: Any) -> Generation:
        return read(answer)

    assert await check_odd_answers(one, RESPONSE, request=make_request()) > 800


async def test_whatever_stands_in_an_event_only_our_errors_come_of_it() -> None:
    async def one(changed: Any) -> Generation:
        found = changed if isinstance(changed, list) else [changed]
        try:
            body = read_body(as_events(found).encode(), "text/event-stream", ResponseEvents)
        except BodyError as err:
            raise ModelError(err.kind, err.reason) from err
        return read(body)

    good: Any = streamed()[1:]
    assert await check_odd_answers(one, good, request=make_request()) > 800


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "summary", "status", "phase", "reason"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100)
@given(JSON, JSON)
def test_whatever_an_answer_is_only_our_errors_come_of_it(one: Any, other: Any) -> None:
    for answer in (
        {"output": one, "usage": other, "status": other, "incomplete_details": one},
        {"output": [one, {"type": "message", "content": other}], "status": "completed"},
        {"output": [{"type": "reasoning", "summary": one, "content": other}], "model": one},
        one,
    ):
        with contextlib.suppress(ModelError):
            check_generation(make_request(), read(answer))


def test_the_same_name_on_another_api_is_another_model() -> None:
    key = SecretStr(KEY)
    chat = OpenAIProvider(OpenAISettings(api_key=key)).describe("gpt-x")
    responses = OpenAIResponsesProvider(OpenAIResponsesSettings(api_key=key)).describe("gpt-x")

    assert chat.cache_key != responses.cache_key
    assert chat.endpoint == responses.endpoint  # they share its limits
    assert responses.modes == {"chat"}
