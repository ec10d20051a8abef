"""Anthropic's Messages API: what is sent, how answers and errors are read, streams."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_models.anthropic.anthropic_provider import AnthropicProvider
from llmeval_models.anthropic.message_events import MessageEvents
from llmeval_models.anthropic.message_parsing import read_message
from llmeval_models.http.body_parsing import BodyError, read_body
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.model_settings import AnthropicSettings
from pydantic import SecretStr

from llmeval_core.generation import check_generation
from llmeval_core.hooks import (
    FailureKind,
    Generation,
    Message,
    ModelError,
    Reasoning,
    Request,
    StopReason,
)
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer, asking

KEY = "sk-ant-12345"
MESSAGE: dict[str, Any] = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-x-2026",
    "content": [
        {"type": "thinking", "thinking": "London?", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2VjcmV0"},
        {"type": "text", "text": "Paris"},
    ],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "stop_details": None,
    "usage": {
        "input_tokens": 9,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 300,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 5},
        "service_tier": "standard",
    },
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


async def ask(server: ScriptedServer, request: Request | None = None, **given: Any) -> Generation:
    settings = AnthropicSettings(base_url=server.base_url, api_key=SecretStr(KEY), **given)
    model = await AnthropicProvider(settings).open("claude-x")
    try:
        return await model.generate(request or make_request())
    finally:
        await model.aclose()


async def failure(server: ScriptedServer, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(server, request)
    return caught.value


async def test_an_answer_is_read_whole(server: ScriptedServer) -> None:
    server.answers(MESSAGE)

    generation = await ask(server)

    assert replace(generation, latency_s=0.0) == Generation(
        texts=("Paris",),
        finish_reason="end_turn",
        n_prompt_tokens=329,
        n_completion_tokens=7,
        served_by="claude-x-2026",
        stop_reasons=("stop",),
        reasonings=("London?",),
        n_reasoning_tokens=5,
    )


async def test_a_request_has_what_the_settings_say(server: ScriptedServer) -> None:
    server.answers(MESSAGE)
    request = replace(
        asking(temperature=0.7, top_p=0.9, stop=("END",)),
        messages=(
            Message("system", "Be brief."),
            Message("system", "In English."),
            Message("user", "富士山?"),
            Message("assistant", "Yes."),
            Message("user", "How high?"),
        ),
    )

    await ask(server, request, extra_body={"top_k": 5})

    assert server.paths == ["/v1/messages"]
    assert server.bodies == [
        {
            "model": "claude-x",
            "max_tokens": 16,
            "system": "Be brief.\n\nIn English.",
            "messages": [
                {"role": "user", "content": "富士山?"},
                {"role": "assistant", "content": "Yes."},
                {"role": "user", "content": "How high?"},
            ],
            "temperature": 0.7,
            "top_p": 0.9,
            "stop_sequences": ["END"],
            "top_k": 5,
        }
    ]
    sent = server.headers[0]
    assert (sent["x-api-key"], sent["anthropic-version"]) == (KEY, "2023-06-01")
    assert "Authorization" not in sent


async def test_the_key_can_go_as_a_bearer_token_and_the_version_can_be_set(
    server: ScriptedServer,
) -> None:
    server.answers(MESSAGE)

    await ask(server, api_key_header="Authorization", version="2024-01-01")

    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["anthropic-version"] == "2024-01-01"


async def test_there_is_always_a_most_of_tokens(server: ScriptedServer) -> None:
    server.answers(MESSAGE)

    await ask(server, asking(max_tokens=None), default_max_tokens=99)

    assert server.bodies[0]["max_tokens"] == 99


@pytest.mark.parametrize(
    ("reasoning", "sent"),
    [
        (Reasoning(budget=2048), {"thinking": {"type": "enabled", "budget_tokens": 2048}}),
        (Reasoning(budget=0), {"thinking": {"type": "disabled"}}),
        (Reasoning(effort="none"), {"thinking": {"type": "disabled"}}),
        (
            Reasoning(effort="low"),
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "low"},
            },
        ),
        (
            Reasoning(effort="high", budget=2048),
            {
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "high"},
            },
        ),
    ],
)
async def test_how_much_is_thought(
    server: ScriptedServer, reasoning: Reasoning, sent: dict[str, Any]
) -> None:
    server.answers(MESSAGE)

    await ask(server, asking(reasoning=reasoning))

    body = server.bodies[0]
    assert {key: body[key] for key in ("thinking", "output_config") if key in body} == sent


async def test_beside_thinking_no_temperature_is_sent_and_that_is_told(
    server: ScriptedServer,
) -> None:
    server.answers(MESSAGE)

    thinking = await ask(server, asking(reasoning=Reasoning(budget=1024), top_p=0.5, seed=3))
    plain = await ask(server, asking(reasoning=Reasoning(budget=0)))

    assert thinking.not_sent == ("temperature", "top_p", "seed")
    assert not {"temperature", "top_p", "seed"} & server.bodies[0].keys()
    assert (plain.not_sent, server.bodies[1]["temperature"]) == ((), 0.0)


async def test_stop_texts_of_white_space_are_cut_here(server: ScriptedServer) -> None:
    server.answers(MESSAGE | {"content": [{"type": "text", "text": "Paris\nQ: Rome?"}]})

    generation = await ask(server, asking(stop=("\n", "Q:")))

    assert server.bodies[0]["stop_sequences"] == ["Q:"]
    assert (generation.texts, generation.not_sent) == (("Paris",), ("stop",))


async def test_a_model_that_knows_no_temperature_is_asked_without(server: ScriptedServer) -> None:
    refusal = "`temperature` is deprecated for this model."
    server.answers(error("invalid_request_error", refusal), status=400)
    model = await AnthropicProvider(
        AnthropicSettings(base_url=server.base_url, api_key=SecretStr(KEY))
    ).open("claude-x")
    with pytest.raises(ModelError):
        await model.generate(make_request())
    server.answers(MESSAGE)

    generation = await model.generate(make_request())

    await model.aclose()
    assert [("temperature" in body) for body in server.bodies] == [True, False, False]
    assert generation.not_sent == ("temperature",)


async def test_what_the_api_cannot_do_is_refused_before_anything_is_sent(
    server: ScriptedServer,
) -> None:
    turns = (Message("user", "x"), Message("system", "y"))

    several = await failure(server, asking(n=2))
    inside = await failure(server, replace(make_request(), messages=turns))

    assert str(several) == (
        "asked for 2 answers, and this API gives one to each request\n  try:   leave `n` at 1"
    )
    assert str(inside) == (
        "a system message stands inside the conversation\n"
        "  try:   this API takes it only at the beginning; give it the role `user` there"
    )
    assert (several.kind, inside.kind, server.bodies) == ("bad_request", "bad_request", [])


def error(kind: str, message: str) -> dict[str, Any]:
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_1",
    }


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("invalid_request_error", "messages: field required"), "bad_request"),
        (400, error("invalid_request_error", "prompt is too long: 9 > 8"), "context_too_long"),
        (
            400,
            error(
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 9 + 8 > 10",
            ),
            "context_too_long",
        ),
        (
            400,
            error("invalid_request_error", "Output blocked by content filtering policy"),
            "filtered",
        ),
        (
            400,
            error("invalid_request_error", "Your credit balance is too low to access this."),
            "auth",
        ),
        (401, error("authentication_error", "invalid x-api-key"), "auth"),
        (402, error("billing_error", "pay"), "auth"),
        (403, error("permission_error", "not for you"), "auth"),
        (404, error("not_found_error", "model: claude-x"), "not_found"),
        (413, error("request_too_large", "Request exceeds the maximum size"), "context_too_long"),
        (429, error("rate_limit_error", "slow"), "rate_limit"),
        (500, error("api_error", "Internal server error"), "overloaded"),
        (504, error("timeout_error", "late"), "overloaded"),
        (529, error("overloaded_error", "Overloaded"), "overloaded"),
        (529, "", "overloaded"),
        (200, error("overloaded_error", "Overloaded"), "overloaded"),
    ],
)
async def test_errors(server: ScriptedServer, status: int, body: Any, kind: FailureKind) -> None:
    server.answers(body, status=status)

    assert (await failure(server)).kind == kind


async def test_an_overload_is_told_with_the_wait_that_is_asked_for(server: ScriptedServer) -> None:
    server.answers(error("overloaded_error", f"Overloaded {KEY}"), status=529, Retry_After="7")

    found = await failure(server)

    assert str(found) == (
        "HTTP 529: Overloaded ***\n"
        f"  where: {server.base_url}\n"
        "  try:   lower the concurrency, or try again later"
    )
    assert found.retry_after_s == 7


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("pause_turn", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("what?", "unknown"),
        (None, "unknown"),
        ({}, "unknown"),
    ],
)
async def test_stop_reasons(server: ScriptedServer, word: Any, stop: StopReason) -> None:
    server.answers(MESSAGE | {"stop_reason": word})

    assert (await ask(server)).stop_reasons == (stop,)


async def test_a_refusal_is_told_with_its_reason(server: ScriptedServer) -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "That would harm."}
    server.answers(
        MESSAGE | {"content": [], "stop_reason": "refusal", "stop_details": details},
    )

    generation = await ask(server)

    assert (generation.texts, generation.refusal) == (("",), "That would harm.")
    assert generation.stop_reasons == ("refusal",)


async def test_thoughts_cut_off_before_the_answer_leave_it_empty(server: ScriptedServer) -> None:
    server.answers(MESSAGE | {"content": MESSAGE["content"][:1], "stop_reason": "max_tokens"})

    generation = await ask(server)

    assert (generation.texts, generation.reasonings) == (("",), ("London?",))
    assert generation.stop_reasons == ("length",)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"input_tokens": 9, "output_tokens": 7}, (9, 7, None)),
        ({"input_tokens": 9, "cache_read_input_tokens": None, "output_tokens": 7}, (9, 7, None)),
        ({"input_tokens": 9, "cache_read_input_tokens": -1}, (None, None, None)),
        ({"input_tokens": 9, "cache_read_input_tokens": "5"}, (None, None, None)),
        ({"cache_read_input_tokens": 5, "output_tokens": 7}, (None, 7, None)),
        ({"input_tokens": 0.5, "output_tokens": 10**12}, (None, None, None)),
        ({"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 8}}, (None, 7, None)),
        ({"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 0}}, (None, 7, 0)),
        (None, (None, None, None)),
        ([9, 7], (None, None, None)),
    ],
)
async def test_counts(server: ScriptedServer, usage: Any, counts: tuple[int | None, ...]) -> None:
    server.answers(MESSAGE | {"usage": usage})

    found = await ask(server)

    assert (found.n_prompt_tokens, found.n_completion_tokens, found.n_reasoning_tokens) == counts


def events(*found: dict[str, Any]) -> str:
    return "".join([f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in found])


def streamed() -> Iterator[dict[str, Any]]:
    """Give the events of the message above."""
    begun = MESSAGE | {"content": [], "stop_reason": None, "usage": {"input_tokens": 9}}
    yield {"type": "message_start", "message": begun}
    yield {"type": "ping"}
    for index, (block, pieces) in enumerate(
        (
            ({"type": "thinking", "thinking": ""}, [("thinking_delta", "thinking", "London?")]),
            ({"type": "redacted_thinking", "data": "c2VjcmV0"}, []),
            (
                {"type": "text", "text": ""},
                [("text_delta", "text", "Pa"), ("text_delta", "text", "ris")],
            ),
        )
    ):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for kind, field, text in pieces:
            delta = {"type": kind, field: text}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    usage = {**MESSAGE["usage"], "output_tokens": 7}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}
    yield {"type": "message_stop"}


async def test_a_stream_is_the_same_answer(server: ScriptedServer) -> None:
    server.answers(MESSAGE)
    at_once = await ask(server)
    server.answers(events(*streamed()), Content_Type="text/event-stream")

    pieces = await ask(server, stream=True)

    assert server.bodies[1]["stream"] is True
    assert replace(pieces, latency_s=0.0) == replace(at_once, latency_s=0.0)


async def test_a_stream_that_breaks_off_is_no_answer(server: ScriptedServer) -> None:
    server.answers(events(*list(streamed())[:6]), Content_Type="text/event-stream")

    found = await failure(server)

    assert (found.kind, found.what) == (
        "connection",
        "the stream broke off: before the answer ended",
    )


async def test_an_error_in_the_middle_of_a_stream(server: ScriptedServer) -> None:
    told = error("overloaded_error", "Overloaded")
    server.answers(events(*list(streamed())[:6], told), Content_Type="text/event-stream")

    found = await failure(server)

    assert (found.kind, found.what) == ("overloaded", "HTTP 200 with an error inside: Overloaded")


async def test_an_error_of_a_gateway_in_the_middle_of_a_stream(server: ScriptedServer) -> None:
    told = 'data: {"error": {"code": 429, "message": "slow down"}}\n\n'
    server.answers(events(*list(streamed())[:6]) + told, Content_Type="text/event-stream")

    found = await failure(server)

    assert (found.kind, "slow down" in found.what) == ("rate_limit", True)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"id": "x"}, "the answer has no content, only: id"),
        ([1], "the answer has no content, only: list"),
        ({"content": 42}, "the content of the answer is a number, not a text"),
        ({"content": [None]}, "a part of the answer is null"),
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
    return read_message(answer, latency_s=0.1, retry_after_s=None)


async def test_whatever_stands_at_any_place_only_our_errors_come_of_it() -> None:
    async def one(answer: Any) -> Generation:
        return read(answer)

    assert await check_odd_answers(one, MESSAGE, request=make_request()) > 400


async def test_whatever_stands_in_an_event_only_our_errors_come_of_it() -> None:
    good: Any = list(streamed())

    async def one(changed: Any) -> Generation:
        lines = [f"data: {json.dumps(event)}\n\n" for event in changed]
        try:
            body = read_body("".join(lines).encode(), "text/event-stream", MessageEvents)
        except BodyError as err:
            raise ModelError(err.kind, err.reason) from err
        return read(body)

    async def some(changed: Any) -> Generation:
        return await one(changed if isinstance(changed, list) else [changed])

    assert await check_odd_answers(some, good[:1] + good[2:], request=make_request()) > 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "thinking", "content", "input_tokens", "index"]),
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
        {"content": one, "usage": other, "stop_reason": other, "stop_details": one},
        {"content": [one, {"type": "text", "text": other}], "usage": one, "model": other},
        {"content": [{"type": "thinking", "thinking": one}], "stop_reason": "refusal"},
        one,
    ):
        with contextlib.suppress(ModelError):
            check_generation(make_request(), read(answer))


def test_a_missing_key_is_known_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)

    with pytest.raises(ModelError) as caught:
        AnthropicProvider(AnthropicSettings()).check("claude-x")

    assert str(caught.value) == (
        "ANTHROPIC_API_KEY is not set\n  try:   export ANTHROPIC_API_KEY=... or set api_key"
    )


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_address_and_key_come_from_the_environment(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    server.answers(MESSAGE)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.base_url.removesuffix("/v1") + path)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    model = await AnthropicProvider(AnthropicSettings()).open("claude-x")

    await model.generate(make_request())

    await model.aclose()
    assert (server.paths, server.headers[0]["x-api-key"]) == (["/v1/messages"], KEY)


def test_what_makes_another_model() -> None:
    def identity(**given: Any) -> str:
        provider = AnthropicProvider(AnthropicSettings(api_key=SecretStr(KEY), **given))
        return provider.describe("claude-x").cache_key

    same = {identity(), identity(stream=True), identity(max_concurrency=3)}
    others = {identity(default_max_tokens=9), identity(extra_body={"top_k": 1})}
    assert len(same) == 1
    assert len(same | others) == 3
