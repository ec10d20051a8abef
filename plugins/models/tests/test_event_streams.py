"""Servers that only stream, and the setting that asks them to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_models.http.body_parsing import BodyError, read_body
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.model_settings import OpenAICompatibleSettings
from llmeval_models.openai.completion_parsing import read_answer
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai.stream_chunks import StreamedResponse

from llmeval_core.hooks import Generation, ModelError
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import ScriptedServer

USAGE = {"prompt_tokens": 5, "completion_tokens": 3}
USAGE_CHUNK: dict[str, Any] = {"model": "m", "choices": [], "usage": USAGE}
SSE = "text/event-stream; charset=utf-8"


def delta(index: int = 0, *, end: str | None = None, **more: Any) -> dict[str, Any]:
    """Make a chunk of a chat; Any: JSON."""
    choice = {"index": index, "delta": more, "finish_reason": end}
    return {"model": "m", "choices": [choice], "usage": None}


PARIS = [delta(role="assistant", content=""), delta(content="Pa"), delta(content="ris")]
WHOLE = [*PARIS, delta(end="stop"), USAGE_CHUNK]


def stream(*chunks: Any, done: bool = True, line: str = "\n", between: str = "") -> bytes:
    """Write chunks as events; Any: JSON, or a text as it is."""
    events = [one if isinstance(one, str) else f"data: {json.dumps(one)}" for one in chunks]
    if done:
        events.append("data: [DONE]")
    return "".join([f"{event}{line}{between}{line}" for event in events]).encode()


def read(body: bytes, *, n: int = 1, content_type: str | None = SSE) -> Generation:
    return read_answer(read_body(body, content_type, StreamedResponse), n=n, latency_s=0.5)


EXPECTED = Generation(
    ("Paris",),
    finish_reason="stop",
    n_prompt_tokens=5,
    n_completion_tokens=3,
    latency_s=0.5,
    served_by="m",
    stop_reasons=("stop",),
)
BODIES = {
    "plain": stream(*WHOLE),
    "lines end as on Windows": stream(*WHOLE, line="\r\n"),
    "lines end as on old Macs": stream(*WHOLE, line="\r"),
    "no [DONE]": stream(*WHOLE, done=False),
    "no empty line at the end": stream(*WHOLE, done=False).rstrip(),
    "no empty lines at all": stream(*WHOLE).replace(b"\n\n", b"\n"),
    "comments and pings": stream(
        ": OPENROUTER PROCESSING", PARIS[0], ":", *PARIS[1:], "event: ping\ndata: {}", *WHOLE[3:]
    ),
    "named events with ids": stream(
        *[f"event: message\nid: 7\nretry: 10\ndata: {json.dumps(chunk)}" for chunk in WHOLE]
    ),
    "no space after the colon": stream(*WHOLE).replace(b"data: ", b"data:"),
    "data over several lines": stream(
        *["data: " + json.dumps(chunk, indent=1).replace("\n", "\ndata: ") for chunk in WHOLE]
    ),
    "a byte order mark": b"\xef\xbb\xbf" + stream(*WHOLE),
    "empty lines first": b"\n\n" + stream(*WHOLE),
    "usage in each chunk": stream(
        *[chunk | {"usage": {"prompt_tokens": 5, "completion_tokens": 1}} for chunk in PARIS],
        delta(end="stop") | {"usage": USAGE},
    ),
    "the whole answer as one event": stream(
        {
            "model": "m",
            "usage": USAGE,
            "choices": [{"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}],
        }
    ),
    "cut off in the middle of what follows the answer": stream(*WHOLE, done=False)
    + b'data: {"x": ',
}


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_is_put_together(name: str) -> None:
    assert read(BODIES[name]) == EXPECTED


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_a_stream_is_known_by_how_it_begins(content_type: str | None) -> None:
    assert read(BODIES["plain"], content_type=content_type) == EXPECTED
    assert read(BODIES["comments and pings"], content_type=content_type) == EXPECTED


def test_json_that_says_it_is_a_stream_is_still_json() -> None:
    choice = {"index": 0, "message": {"content": "Paris"}, "finish_reason": "stop"}

    assert read(json.dumps({"choices": [choice]}).encode()).texts == ("Paris",)


def test_thoughts_refusals_and_tool_calls_are_put_together_too() -> None:
    thought = read(
        stream(
            delta(reasoning_content="Lon"),
            delta(reasoning_content="don?"),
            delta(content="Paris", reasoning_content=None),
            delta(end="stop"),
        )
    )
    details = read(
        stream(
            delta(reasoning_details=[{"type": "reasoning.text", "text": "Lon"}]),
            delta(reasoning_details=[{"type": "reasoning.text", "text": "don?"}]),
            delta(content="Paris", end="stop"),
        )
    )
    refused = read(stream(delta(refusal="I can"), delta(refusal="not."), delta(end="stop")))
    called = read(
        stream(
            delta(tool_calls=[{"index": 0, "function": {"name": "f", "arguments": ""}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": "{}"}}]),
            delta(end="tool_calls"),
        )
    )

    for found in (thought, details):
        assert (found.texts, found.reasonings) == (("Paris",), ("London?",))
    assert (refused.texts, refused.refusal) == (("",), "I cannot.")
    assert (called.texts, called.stop_reasons) == (("",), ("tool_calls",))


def test_parts_are_streamed_as_parts() -> None:
    """Mistral streams its thoughts as lists and its text as texts."""

    def thinking(text: str) -> list[dict[str, Any]]:
        return [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]

    found = read(
        stream(
            delta(content=thinking("Lon")),
            delta(content=thinking("don?")),
            delta(content="Pa"),
            delta(content="ris", end="stop"),
        )
    )

    assert (found.texts, found.reasonings) == (("Paris",), ("London?",))


def test_several_choices_in_any_order() -> None:
    chunks = [delta(1, content="Ro"), delta(0, content="Pa"), delta(1, content="me", end="length")]

    found = read(stream(*chunks, delta(0, content="ris", end="stop")), n=2)

    assert (found.texts, found.stop_reasons) == (("Paris", "Rome"), ("stop", "length"))


def test_completions() -> None:
    def piece(text: str, end: str | None = None) -> dict[str, Any]:
        return {"choices": [{"index": 0, "text": text, "finish_reason": end}]}

    found = read(stream(piece(" Pa"), piece("ris", "length"), USAGE_CHUNK))

    assert (found.texts, found.stop_reasons) == ((" Paris",), ("length",))
    assert found.n_prompt_tokens == 5


def test_a_character_whose_halves_come_in_two_chunks() -> None:
    found = read(stream(delta(content="a\ud83d"), delta(content="\ude00", end="stop")))

    assert found.texts == ("a😀",)


def test_unicode_line_separators_end_no_line() -> None:
    text = "a\u2028b\u0085c"
    chunk = json.dumps(delta(content=text, end="stop"), ensure_ascii=False)

    assert read(stream(f"data: {chunk}")).texts == (text,)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (stream(*PARIS, done=False), "the stream broke off: before the answer ended"),
        (stream(*PARIS, done=False)[:-9], "the stream broke off: before the answer ended"),
        (stream(delta(1, content="x"), delta(0, end="stop"), done=False), "the stream broke off: "),
        (stream(": ping", done=False), "the stream broke off: before the answer began"),
        (b"data: ", "the stream broke off: before the answer began"),
    ],
)
def test_a_stream_that_is_cut_off_is_a_broken_connection(body: bytes, reason: str) -> None:
    with pytest.raises(BodyError) as caught:
        read(body)

    assert caught.value.kind == "connection"
    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize("event", ["data: no JSON", "data: [1]", "data: 7", 'data: {"choices": ['])
def test_an_event_that_is_no_json_object_is_malformed(event: str) -> None:
    with pytest.raises(BodyError) as caught:
        read(stream(PARIS[0], event, *WHOLE[1:]))

    assert caught.value.kind == "malformed"
    assert caught.value.reason.startswith("the stream is not usable: an event is not a JSON object")


def test_done_without_any_choice_is_no_answer() -> None:
    with pytest.raises(ModelError, match="empty list of choices"):
        read(stream(USAGE_CHUNK))


@pytest.mark.parametrize(
    ("event", "status", "message"),
    [
        ({"error": {"code": 502, "message": "Provider disconnected"}}, 502, "Provider"),
        ({"error": "boom", "choices": []}, 502, "boom"),
        ({"object": "error", "message": "too busy", "code": 503}, 503, "too busy"),
        ('event: error\ndata: {"message": "rate limit"}', 429, "rate limit"),
        ("event: error\ndata: Internal Server Error", 503, "Internal Server Error"),
        (delta(end="error"), 502, "the answer ended with 'error'"),
        (
            {"choices": [{"index": 0, "delta": {}, "error": {"code": 429, "message": "slow"}}]},
            429,
            "slow",
        ),
    ],
)
def test_an_error_in_the_middle_of_a_stream(event: Any, status: int, message: str) -> None:
    """s05-error-inside-choice-200: after half of an answer, and before [DONE]."""
    found = embedded_error_in(read_body(stream(*PARIS, event, *WHOLE[3:]), SSE, StreamedResponse))

    assert found is not None
    assert found.status == status
    assert message in found.message


async def test_a_server_that_only_streams_is_answered(server: ScriptedServer) -> None:
    server.answers(BODIES["plain"].decode(), Content_Type="text/event-stream")
    model = await OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http, stream=True)
    ).open("m")

    found = await model.generate(make_request())
    await model.generate(make_request(mode="completion"))

    await model.aclose()
    assert replace(found, latency_s=0.5) == EXPECTED
    assert [body["stream"] for body in server.bodies] == [True, True]
    assert [body["stream_options"] for body in server.bodies] == [{"include_usage": True}] * 2


async def test_without_the_setting_no_stream_is_asked_for_and_one_is_read_all_the_same(
    server: ScriptedServer,
) -> None:
    server.answers(BODIES["plain"].decode())
    model = await OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http)
    ).open("m")

    found = await model.generate(make_request())

    await model.aclose()
    assert found.texts == ("Paris",)
    assert "stream" not in server.bodies[0]


async def test_a_cut_off_stream_is_told_with_a_cause(server: ScriptedServer) -> None:
    server.answers(stream(*PARIS, done=False).decode())
    model = await OpenAICompatibleProvider(
        OpenAICompatibleSettings(base_url=server.base_url, http=server.http)
    ).open("m")

    with pytest.raises(ModelError) as caught:
        await model.generate(make_request())

    await model.aclose()
    assert caught.value.kind == "connection"
    assert str(caught.value) == (
        "the stream broke off: before the answer ended\n"
        f"  where: {server.base_url}\n"
        "  try:   a proxy's time limit, or a crash of the server? its log tells"
    )


def ask(body: bytes) -> Generation:
    """Read a stream as the client does."""
    try:
        answer = read_body(body, SSE, StreamedResponse)
    except BodyError as err:
        raise ModelError(err.kind, err.reason) from err
    inner = embedded_error_in(answer)
    if inner is not None:
        raise ModelError("overloaded", inner.message)
    return read_answer(answer, n=1, latency_s=0.5)


async def test_whatever_stands_at_any_place_of_a_chunk_only_our_errors_come_of_it() -> None:
    """s03-odd-answer-fields-crash."""
    chunk = delta(
        content=[{"type": "text", "text": "x"}], reasoning="y", tool_calls=[{}], end="stop"
    )

    async def one(odd: Any) -> Generation:
        return ask(stream(PARIS[0], f"data: {json.dumps(odd)}", *WHOLE[1:]))

    assert await check_odd_answers(one, chunk, request=make_request()) > 150


@settings(max_examples=80)
@given(st.data())
def test_whatever_bytes_a_stream_has_only_our_errors_come_of_it(data: st.DataObject) -> None:
    body = bytearray(BODIES["comments and pings"])
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(body)))
        until = data.draw(st.integers(at, min(len(body), at + 30)))
        body[at:until] = data.draw(st.binary(max_size=8) | st.sampled_from([b"\n", b"\r\n\r\n"]))

    try:
        ask(bytes(body))
    except ModelError as err:
        assert err.kind  # noqa: PT017  either is right
