"""Gemini's generateContent: what is sent, how answers and errors are read, streams."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmeval_models.gemini.content_chunks import ContentChunks
from llmeval_models.gemini.content_parsing import read_content
from llmeval_models.gemini.gemini_provider import GeminiProvider
from llmeval_models.http.body_parsing import BodyError, read_body
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.model_settings import GeminiSettings
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

KEY = "AIza-12345"
PATH = "/v1/models/gemini-x:generateContent"
CANDIDATE: dict[str, Any] = {
    "content": {
        "role": "model",
        "parts": [{"text": "London?", "thought": True}, {"text": "Paris", "thoughtSignature": "c"}],
    },
    "finishReason": "STOP",
    "index": 0,
    "safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"}],
}
USAGE: dict[str, Any] = {
    "promptTokenCount": 9,
    "cachedContentTokenCount": 4,
    "candidatesTokenCount": 2,
    "thoughtsTokenCount": 5,
    "totalTokenCount": 16,
}
CONTENT: dict[str, Any] = {
    "candidates": [CANDIDATE],
    "usageMetadata": USAGE,
    "modelVersion": "gemini-x-001",
    "responseId": "r",
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


async def ask(
    server: ScriptedServer, request: Request | None = None, name: str = "gemini-x", **given: Any
) -> Generation:
    settings = GeminiSettings(base_url=server.base_url, api_key=SecretStr(KEY), **given)
    model = await GeminiProvider(settings).open(name)
    try:
        return await model.generate(request or make_request())
    finally:
        await model.aclose()


async def failure(server: ScriptedServer, request: Request | None = None) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await ask(server, request)
    return caught.value


async def test_an_answer_is_read_whole(server: ScriptedServer) -> None:
    server.answers(CONTENT)

    generation = await ask(server)

    assert replace(generation, latency_s=0.0) == Generation(
        texts=("Paris",),
        finish_reason="STOP",
        n_prompt_tokens=9,
        n_completion_tokens=7,
        served_by="gemini-x-001",
        stop_reasons=("stop",),
        reasonings=("London?",),
        n_reasoning_tokens=5,
    )


async def test_a_request_has_what_the_settings_say(server: ScriptedServer) -> None:
    server.answers(CONTENT | {"candidates": [CANDIDATE, CANDIDATE | {"index": 1}]})
    request = replace(
        asking(temperature=0.7, top_p=0.9, seed=3, stop=("END",), n=2),
        messages=(
            Message("system", "Be brief."),
            Message("user", "富士山?"),
            Message("assistant", "Yes."),
            Message("user", "How high?"),
        ),
    )

    generation = await ask(
        server, request, extra_body={"generationConfig": {"topK": 5}, "safetySettings": []}
    )

    assert server.paths == [PATH]
    assert server.bodies == [
        {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "富士山?"}]},
                {"role": "model", "parts": [{"text": "Yes."}]},
                {"role": "user", "parts": [{"text": "How high?"}]},
            ],
            "generationConfig": {
                "maxOutputTokens": 16,
                "temperature": 0.7,
                "topP": 0.9,
                "seed": 3,
                "stopSequences": ["END"],
                "candidateCount": 2,
                "topK": 5,
            },
            "safetySettings": [],
        }
    ]
    assert server.headers[0]["x-goog-api-key"] == KEY
    assert "Authorization" not in server.headers[0]
    assert generation.texts == ("Paris", "Paris")


@pytest.mark.parametrize("name", ["models/gemini-x", "gemini-x"])
async def test_the_name_may_have_its_collection(server: ScriptedServer, name: str) -> None:
    server.answers(CONTENT)

    await ask(server, name=name)
    await ask(server, name="tunedModels/mine")

    assert server.paths == [PATH, "/v1/tunedModels/mine:generateContent"]


@pytest.mark.parametrize(
    ("reasoning", "sent"),
    [
        (Reasoning(budget=2048), {"thinkingBudget": 2048, "includeThoughts": True}),
        (Reasoning(budget=0), {"thinkingBudget": 0}),
        (Reasoning(effort="none"), {"thinkingBudget": 0}),
        (Reasoning(effort="low"), {"thinkingLevel": "LOW", "includeThoughts": True}),
    ],
)
async def test_how_much_is_thought(
    server: ScriptedServer, reasoning: Reasoning, sent: dict[str, Any]
) -> None:
    server.answers(CONTENT)

    await ask(server, asking(reasoning=reasoning))

    assert server.bodies[0]["generationConfig"]["thinkingConfig"] == sent


async def test_more_stop_texts_than_the_api_takes_are_cut_here(server: ScriptedServer) -> None:
    parts = [{"text": "Paris 6 7"}]
    server.answers(CONTENT | {"candidates": [CANDIDATE | {"content": {"parts": parts}}]})

    generation = await ask(server, asking(stop=tuple("1234567")))

    assert server.bodies[0]["generationConfig"]["stopSequences"] == list("12345")
    assert (generation.texts, generation.not_sent) == (("Paris ",), ("stop",))


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT", "OTHER", "MODEL_ARMOR"])
@pytest.mark.parametrize("candidates", [{}, {"candidates": []}])
async def test_a_blocked_prompt_is_filtered(
    server: ScriptedServer, reason: str, candidates: dict[str, Any]
) -> None:
    feedback = {"blockReason": reason, "safetyRatings": []}
    server.answers({"promptFeedback": feedback, "usageMetadata": USAGE, **candidates})

    found = await failure(server)

    assert found.kind == "filtered"
    assert found.what.endswith(f"the prompt was blocked: {reason}")


@pytest.mark.parametrize(
    ("word", "stop"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("CONTINUATION", "length"),
        ("OTHER", "unknown"),
        ("MALFORMED_FUNCTION_CALL", "unknown"),
        ("FINISH_REASON_UNSPECIFIED", "unknown"),
    ],
)
@pytest.mark.parametrize("content", [{}, {"content": {"role": "model"}}, {"content": None}])
async def test_a_candidate_without_text_says_why_it_ended(
    server: ScriptedServer, word: str, stop: StopReason, content: dict[str, Any]
) -> None:
    server.answers({"candidates": [{"finishReason": word, "index": 0, **content}]})

    generation = await ask(server)

    assert (generation.texts, generation.stop_reasons) == (("",), (stop,))


async def test_a_call_of_a_tool_without_text(server: ScriptedServer) -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    server.answers({"candidates": [{"content": {"parts": [call]}, "finishReason": "STOP"}]})

    assert (await ask(server)).stop_reasons == ("tool_calls",)


async def test_what_is_no_text_is_passed_over(server: ScriptedServer) -> None:
    parts = [
        {"executableCode": {"code": "1"}},
        {"text": "Pa"},
        {"inlineData": {"data": "c"}},
        {"text": "ris"},
    ]
    server.answers({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})

    assert (await ask(server)).texts == ("Paris",)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (USAGE, (9, 7, 5)),
        # Left out because it is 0: the thoughts took all there was.
        ({"promptTokenCount": 9, "thoughtsTokenCount": 5, "totalTokenCount": 14}, (9, 5, 5)),
        ({"promptTokenCount": 9, "totalTokenCount": 9}, (9, 0, None)),
        # The total says that the thoughts are among the candidates' tokens.
        (USAGE | {"candidatesTokenCount": 7}, (9, 7, 5)),
        (USAGE | {"toolUsePromptTokenCount": 100, "totalTokenCount": 116}, (109, 7, 5)),
        ({"promptTokenCount": 9, "candidatesTokenCount": 2}, (9, 2, None)),
        ({"promptTokenCount": 9, "thoughtsTokenCount": 5}, (9, None, 5)),
        (USAGE | {"thoughtsTokenCount": -5}, (9, None, None)),
        (USAGE | {"candidatesTokenCount": "2"}, (9, None, 5)),
        (USAGE | {"promptTokenCount": 0.5}, (None, None, 5)),
        ({"candidatesTokenCount": 2}, (None, 2, None)),
        (None, (None, None, None)),
        ([1], (None, None, None)),
    ],
)
async def test_counts(server: ScriptedServer, usage: Any, counts: tuple[int | None, ...]) -> None:
    server.answers(CONTENT | {"usageMetadata": usage})

    found = await ask(server)

    assert (found.n_prompt_tokens, found.n_completion_tokens, found.n_reasoning_tokens) == counts


def error(status: int, word: str, message: str, **details: Any) -> dict[str, Any]:
    told = {"code": status, "message": message, "status": word, "details": [details]}
    return {"error": told}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'"), "bad_request"),
        (
            error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
            "auth",
        ),
        (
            error(
                400,
                "INVALID_ARGUMENT",
                "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            ),
            "context_too_long",
        ),
        (error(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), "auth"),
        (error(404, "NOT_FOUND", "models/gemini-x is not found for v1beta"), "not_found"),
        (error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."), "rate_limit"),
        (error(500, "INTERNAL", "An internal error has occurred."), "overloaded"),
        (error(503, "UNAVAILABLE", "The model is overloaded."), "overloaded"),
        (error(504, "DEADLINE_EXCEEDED", "Deadline expired."), "overloaded"),
    ],
)
async def test_errors(server: ScriptedServer, body: dict[str, Any], kind: FailureKind) -> None:
    server.answers(body, status=body["error"]["code"])
    alone = await failure(server)
    server.answers([body], status=body["error"]["code"])
    in_a_list = await failure(server)
    server.answers([body])
    inside = await failure(server)

    assert (alone.kind, in_a_list.kind) == (kind, kind)
    assert inside.kind in (kind, "timeout")


async def test_a_quota_is_waited_for_as_long_as_the_body_says(server: ScriptedServer) -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}
    server.answers(error(429, "RESOURCE_EXHAUSTED", f"quota {KEY}", **info), status=429)

    found = await failure(server)

    assert found.retry_after_s == 34.5
    assert KEY not in str(found)


def streamed() -> list[dict[str, Any]]:
    """Give the chunks of the content above."""
    thought, answer = CANDIDATE["content"]["parts"]
    half = {"text": "Pa"}
    rest = answer | {"text": "ris"}
    pieces = [{"content": {"role": "model", "parts": [part]}} for part in (thought, half, rest)]
    last = pieces[-1] | {"finishReason": "STOP", "index": 0}
    return [
        {"candidates": [pieces[0]], "modelVersion": "gemini-x-001"},
        {"candidates": [pieces[1]], "usageMetadata": {"promptTokenCount": 9}},
        {"candidates": [last], "usageMetadata": USAGE},
    ]


def as_events(chunks: Any) -> str:
    return "".join([f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks])


async def test_a_stream_is_the_same_answer(server: ScriptedServer) -> None:
    server.answers(CONTENT)
    at_once = await ask(server)
    server.answers(as_events(streamed()), Content_Type="text/event-stream")

    pieces = await ask(server, stream=True, query={"x": "y"})

    assert server.targets[1] == "/v1/models/gemini-x:streamGenerateContent?x=y&alt=sse"
    assert replace(pieces, latency_s=0.0) == replace(at_once, latency_s=0.0)


@pytest.mark.parametrize(
    ("chunks", "kind"),
    [
        (streamed()[:2], "connection"),
        ([*streamed()[:2], error(503, "UNAVAILABLE", "overloaded")], "overloaded"),
        ([{"promptFeedback": {"blockReason": "SAFETY"}}], "filtered"),
    ],
)
async def test_streams_that_are_no_answer(
    server: ScriptedServer, chunks: Any, kind: FailureKind
) -> None:
    server.answers(as_events(chunks), Content_Type="text/event-stream")

    assert (await failure(server)).kind == kind


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"responseId": "x"}, "the answer has no candidates, only: responseId"),
        ({"candidates": []}, "the answer has no candidates, only: candidates"),
        ([1], "the answer has no candidates, only: list"),
        ({"candidates": ["x"]}, "a candidate is of type str"),
        ({"candidates": [{"index": 0}]}, "a candidate has no content"),
        ({"candidates": [{"content": {"parts": "x"}}]}, "the parts of a candidate are no list"),
        (
            {"candidates": [{"finishReason": "MALFORMED_RESPONSE"}]},
            "the model's answer was malformed, by the server's word",
        ),
    ],
)
async def test_json_that_is_no_answer(server: ScriptedServer, body: Any, what: str) -> None:
    server.answers(body)

    found = await failure(server)

    assert (found.kind, found.what) == ("malformed", what)


async def test_fewer_candidates_than_asked_for(server: ScriptedServer) -> None:
    server.answers(CONTENT)

    found = await failure(server, asking(n=3))

    assert (found.kind, found.what) == ("bad_request", "asked for 3 answers, got 1")


def read(answer: Any) -> Generation:
    """Read an answer as the client and the model do; Any: JSON of any shape."""
    if embedded_error_in(answer) is not None:
        raise ModelError("overloaded", "an error inside")
    return read_content(answer, n=1, latency_s=0.1, retry_after_s=None)


async def test_whatever_stands_at_any_place_only_our_errors_come_of_it() -> None:
    async def one(answer: Any) -> Generation:
        return read(answer)

    assert await check_odd_answers(one, CONTENT, request=make_request()) > 400


async def test_whatever_stands_in_a_chunk_only_our_errors_come_of_it() -> None:
    async def one(changed: Any) -> Generation:
        chunks = changed if isinstance(changed, list) else [changed]
        try:
            body = read_body(as_events(chunks).encode(), "text/event-stream", ContentChunks)
        except BodyError as err:
            raise ModelError(err.kind, err.reason) from err
        return read(body)

    good: Any = streamed()
    assert await check_odd_answers(one, good, request=make_request()) > 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["parts", "text", "thought", "content", "finishReason", "index"]),
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
        {"candidates": one, "usageMetadata": other},
        {"candidates": [one, other], "modelVersion": one, "promptFeedback": other},
        {"candidates": [{"content": {"parts": one}, "finishReason": other}]},
        {"candidates": [{"content": {"parts": [one, {"text": other, "thought": True}]}}]},
        one,
    ):
        with contextlib.suppress(ModelError):
            check_generation(make_request(), read(answer))


def test_a_missing_key_is_known_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)

    with pytest.raises(ModelError) as caught:
        GeminiProvider(GeminiSettings()).check("gemini-x")

    assert str(caught.value) == (
        "GEMINI_API_KEY or GOOGLE_API_KEY is not set\n"
        "  try:   export GEMINI_API_KEY=... or set api_key"
    )
    monkeypatch.setenv("GOOGLE_API_KEY", KEY)
    GeminiProvider(GeminiSettings()).check("gemini-x")
