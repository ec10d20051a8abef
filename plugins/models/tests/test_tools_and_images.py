"""Tools, images and formats through every wire: what is sent, and how calls are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from llmeval_models.anthropic.anthropic_provider import AnthropicProvider
from llmeval_models.anthropic.message_parsing import read_message
from llmeval_models.anthropic.message_turns import write_turns as anthropic_turns
from llmeval_models.gemini.content_parsing import read_content
from llmeval_models.gemini.content_turns import write_turns as gemini_turns
from llmeval_models.gemini.gemini_provider import GeminiProvider
from llmeval_models.http.embedded_error_search import embedded_error_in
from llmeval_models.http.http_provider import HttpProvider
from llmeval_models.model_settings import (
    AnthropicSettings,
    GeminiSettings,
    OpenAICompatibleSettings,
    OpenAIResponsesSettings,
)
from llmeval_models.openai.completion_parsing import read_answer
from llmeval_models.openai.openai_provider import OpenAICompatibleProvider
from llmeval_models.openai_responses.input_items import write_items
from llmeval_models.openai_responses.response_parsing import read_response
from llmeval_models.openai_responses.responses_provider import OpenAIResponsesProvider
from pydantic import SecretStr

from llmeval_core.generation import check_generation
from llmeval_core.hooks import (
    Generation,
    ImagePart,
    Message,
    ModelError,
    Request,
    TextPart,
    ToolCall,
    ToolSpec,
    chat_message,
)
from llmeval_core.testing import check_odd_answers, make_request

from .conftest import Http, ScriptedServer

PROVIDERS: dict[str, Callable[[str], HttpProvider]] = {
    "openai": lambda url: OpenAICompatibleProvider(OpenAICompatibleSettings(base_url=url)),
    "anthropic": lambda url: AnthropicProvider(
        AnthropicSettings(base_url=url, api_key=SecretStr("k"))
    ),
    "gemini": lambda url: GeminiProvider(GeminiSettings(base_url=url, api_key=SecretStr("k"))),
    "responses": lambda url: OpenAIResponsesProvider(
        OpenAIResponsesSettings(base_url=url, api_key=SecretStr("k"))
    ),
}
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
EMPTY: dict[str, Any] = {"type": "object", "properties": {}}
TOOLS = (ToolSpec("weather", "Tells the weather.", SCHEMA), ToolSpec("now"))
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
REASONING = {"type": "reasoning", "summary": [], "encrypted_content": "c2ln"}
CALLS: dict[str, Any] = {
    "openai": {
        "choices": [
            {
                "message": {
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "a",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "東京"}'},
                        },
                        {"id": "b", "type": "function", "function": {"name": "now"}},
                    ],
                },
                "finish_reason": "tool_calls",
            }
        ]
    },
    "anthropic": {
        "content": [
            THOUGHT,
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "東京"}},
            {"type": "tool_use", "id": "b", "name": "now", "input": {}},
        ],
        "stop_reason": "tool_use",
    },
    "gemini": {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "I look."},
                        {
                            "functionCall": {"name": "weather", "args": {"city": "東京"}},
                            "thoughtSignature": "c2ln",
                        },
                        {"functionCall": {"name": "now", "args": {}, "id": "b"}},
                    ]
                },
                "finishReason": "STOP",
            }
        ]
    },
    "responses": {
        "status": "completed",
        "output": [
            REASONING,
            {"type": "message", "content": [{"type": "output_text", "text": "I look."}]},
            {
                "type": "function_call",
                "call_id": "a",
                "name": "weather",
                "arguments": '{"city": "東京"}',
            },
            {"type": "function_call", "call_id": "b", "name": "now", "arguments": "{}"},
        ],
    },
}


@pytest.fixture
def http() -> Http:
    """One client is enough: what carries the answers is tested elsewhere."""
    return "asyncio"


async def ask(server: ScriptedServer, wire: str, request: Request, name: str = "m") -> Generation:
    model = await PROVIDERS[wire](server.base_url).open(name)
    try:
        generation = await model.generate(request)
    finally:
        await model.aclose()
    check_generation(request, generation)
    return generation


async def sent(server: ScriptedServer, wire: str, name: str = "m", **changes: Any) -> Any:
    """Ask with these fields of Request (Any), and return the body that was sent: JSON."""
    server.answers(CALLS[wire])
    await ask(server, wire, replace(make_request(), **changes), name)
    return server.bodies[-1]


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_calls_are_read_with_the_text_before_them(server: ScriptedServer, wire: str) -> None:
    server.answers(CALLS[wire])

    found = await ask(server, wire, replace(make_request(), tools=TOOLS))

    assert found.texts == ("I look.",)
    assert [call.name for call in found.tool_calls] == ["weather", "now"]
    weather, now = found.tool_calls
    assert json.loads(weather.arguments) == {"city": "東京"}
    assert now.arguments in ("", "{}")
    if wire == "anthropic":
        assert found.stop_reasons == ("tool_calls",)


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_calls_without_text_end_an_answer_as_such(server: ScriptedServer, wire: str) -> None:
    answer = json.loads(json.dumps(CALLS[wire]).replace("I look.", ""))
    server.answers(answer)

    found = await ask(server, wire, replace(make_request(), tools=TOOLS))

    assert (found.texts, found.stop_reasons) == (("",), ("tool_calls",))
    assert len(found.tool_calls) == 2


OFFERED: dict[str, Any] = {
    "openai": {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Tells the weather.",
                    "parameters": SCHEMA,
                },
            },
            {
                "type": "function",
                "function": {"name": "now", "description": "", "parameters": EMPTY},
            },
        ]
    },
    "anthropic": {
        "tools": [
            {"name": "weather", "description": "Tells the weather.", "input_schema": SCHEMA},
            {"name": "now", "description": "", "input_schema": EMPTY},
        ]
    },
    "gemini": {
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Tells the weather.",
                        "parametersJsonSchema": SCHEMA,
                    },
                    {"name": "now", "description": "", "parametersJsonSchema": EMPTY},
                ]
            }
        ]
    },
    "responses": {
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "Tells the weather.",
                "parameters": SCHEMA,
                "strict": False,
            },
            {
                "type": "function",
                "name": "now",
                "description": "",
                "parameters": EMPTY,
                "strict": False,
            },
        ]
    },
}


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_tools_are_offered(server: ScriptedServer, wire: str) -> None:
    body = await sent(server, wire, tools=TOOLS)

    assert {"tools": body["tools"]} == OFFERED[wire]


@pytest.mark.parametrize(
    ("wire", "choice", "written"),
    [
        ("openai", "auto", {"tool_choice": "auto"}),
        ("openai", "now", {"tool_choice": {"type": "function", "function": {"name": "now"}}}),
        ("anthropic", "auto", {"tool_choice": {"type": "auto"}}),
        ("anthropic", "none", {"tool_choice": {"type": "none"}}),
        ("anthropic", "required", {"tool_choice": {"type": "any"}}),
        ("anthropic", "now", {"tool_choice": {"type": "tool", "name": "now"}}),
        ("gemini", "auto", {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}),
        ("gemini", "none", {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}}),
        ("gemini", "required", {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
        (
            "gemini",
            "now",
            {
                "toolConfig": {
                    "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["now"]}
                }
            },
        ),
        ("responses", "required", {"tool_choice": "required"}),
        ("responses", "now", {"tool_choice": {"type": "function", "name": "now"}}),
    ],
)
async def test_which_tool_is_to_be_called(
    server: ScriptedServer, wire: str, choice: str, written: dict[str, Any]
) -> None:
    body = await sent(server, wire, tools=TOOLS, tool_choice=choice)

    assert written.items() <= body.items()


def answered(found: Generation) -> tuple[Message, ...]:
    """Make the conversation that goes on after calls."""
    weather, now = found.tool_calls
    return (
        Message("user", "Weather?"),
        Message("assistant", found.text, found.tool_calls),
        Message("tool", "sunny", tool_call_id=weather.id),
        Message("tool", "noon", tool_call_id=now.id),
        Message("user", "And tomorrow?"),
    )


CONTINUED: dict[str, list[Any]] = {
    "openai": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "東京"}'},
                },
                {"id": "b", "type": "function", "function": {"name": "now", "arguments": ""}},
            ],
        },
        {"role": "tool", "content": "sunny", "tool_call_id": "a"},
        {"role": "tool", "content": "noon", "tool_call_id": "b"},
        {"role": "user", "content": "And tomorrow?"},
    ],
    "anthropic": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                THOUGHT,
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "東京"}},
                {"type": "tool_use", "id": "b", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "sunny"},
                {"type": "tool_result", "tool_use_id": "b", "content": "noon"},
            ],
        },
        {"role": "user", "content": "And tomorrow?"},
    ],
    "gemini": [
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                {
                    "functionCall": {"name": "weather", "args": {"city": "東京"}},
                    "thoughtSignature": "c2ln",
                },
                {"functionCall": {"name": "now", "args": {}, "id": "b"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "weather", "response": {"result": "sunny"}}},
                {"functionResponse": {"name": "now", "response": {"result": "noon"}, "id": "b"}},
            ],
        },
        {"role": "user", "parts": [{"text": "And tomorrow?"}]},
    ],
    "responses": [
        {"role": "user", "content": "Weather?"},
        REASONING,
        {"role": "assistant", "content": "I look."},
        {
            "type": "function_call",
            "call_id": "a",
            "name": "weather",
            "arguments": '{"city": "東京"}',
        },
        {"type": "function_call", "call_id": "b", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "sunny"},
        {"type": "function_call_output", "call_id": "b", "output": "noon"},
        {"role": "user", "content": "And tomorrow?"},
    ],
}
TURNS = {"openai": "messages", "anthropic": "messages", "gemini": "contents", "responses": "input"}


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_a_conversation_goes_on_with_what_the_maker_wants_back(
    server: ScriptedServer, wire: str
) -> None:
    """Thoughts and signatures go back with the calls, also after a kill: they are in the ids."""
    server.answers(CALLS[wire])
    found = await ask(server, wire, replace(make_request(), tools=TOOLS))

    body = await sent(server, wire, tools=TOOLS, messages=answered(found))

    assert body[TURNS[wire]] == CONTINUED[wire]


@pytest.mark.parametrize(
    ("name", "signature"),
    [("gemini-3-pro", {"thoughtSignature": "skip_thought_signature_validator"}),
     ("gemini-2.5-flash", {})],
)  # fmt: skip
async def test_calls_that_no_gemini_made_are_told_as_unsigned(
    server: ScriptedServer, name: str, signature: dict[str, str]
) -> None:
    calls = (ToolCall("x1", "weather", "{}"), ToolCall("x2", "now", ""))
    made = Generation(("",), tool_calls=calls)

    body = await sent(server, "gemini", name, messages=answered(made))

    assert body["contents"][1]["parts"] == [
        {"functionCall": {"name": "weather", "args": {}, "id": "x1"}, **signature},
        {"functionCall": {"name": "now", "args": {}, "id": "x2"}},
    ]


@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
@pytest.mark.parametrize("arguments", ["[1]", "{", "7", "[" * 100_000])
async def test_arguments_that_are_no_object_cannot_be_sent(
    server: ScriptedServer, wire: str, arguments: str
) -> None:
    calls = (ToolCall("a", "weather", arguments), ToolCall("b", "now", "{}"))

    with pytest.raises(ModelError) as caught:
        await sent(server, wire, messages=answered(Generation(("",), tool_calls=calls)))

    assert (caught.value.kind, caught.value.what) == (
        "bad_request",
        "the arguments of a call of 'weather' are not a JSON object",
    )


IMAGES = (
    TextPart("What is it?"),
    ImagePart("image/png", b"png"),
    ImagePart("image/jpeg", url="https://x.example/a.jpg"),
)
SHOWN: dict[str, Any] = {
    "openai": [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.jpg"}},
    ],
    "anthropic": [
        {"type": "text", "text": "What is it?"},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "cG5n"},
        },
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.jpg"}},
    ],
    "gemini": [
        {"text": "What is it?"},
        {"inlineData": {"mimeType": "image/png", "data": "cG5n"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://x.example/a.jpg"}},
    ],
    "responses": [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "data:image/png;base64,cG5n"},
        {"type": "input_image", "image_url": "https://x.example/a.jpg"},
    ],
}


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_images_are_shown(server: ScriptedServer, wire: str) -> None:
    body = await sent(server, wire, messages=(Message("user", IMAGES),))

    (turn,) = body[TURNS[wire]]
    assert turn["parts" if wire == "gemini" else "content"] == SHOWN[wire]


FORMAT = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA}}
ANY_JSON = {"type": "json_object"}


@pytest.mark.parametrize(
    ("wire", "wanted", "key", "written"),
    [
        ("openai", FORMAT, "response_format", FORMAT),
        ("openai", ANY_JSON, "response_format", ANY_JSON),
        (
            "anthropic",
            FORMAT,
            "output_config",
            {"format": {"type": "json_schema", "schema": SCHEMA}},
        ),
        ("anthropic", {"type": "text"}, "output_config", None),
        (
            "gemini",
            FORMAT,
            "generationConfig",
            {
                "maxOutputTokens": 16,
                "temperature": 0.0,
                "responseMimeType": "application/json",
                "responseJsonSchema": SCHEMA,
            },
        ),
        (
            "gemini",
            ANY_JSON,
            "generationConfig",
            {"maxOutputTokens": 16, "temperature": 0.0, "responseMimeType": "application/json"},
        ),
        (
            "responses",
            FORMAT,
            "text",
            {"format": {"type": "json_schema", "name": "verdict", "schema": SCHEMA}},
        ),
        ("responses", ANY_JSON, "text", {"format": {"type": "json_object"}}),
    ],
)
async def test_formats(
    server: ScriptedServer, wire: str, wanted: Any, key: str, written: Any
) -> None:
    body = await sent(server, wire, response_format=wanted)

    assert body.get(key) == written


async def test_an_effort_and_a_format_stand_side_by_side(server: ScriptedServer) -> None:
    request = make_request()
    settings = replace(
        request.settings, reasoning=None, extra_body={"output_config": {"effort": "low"}}
    )

    body = await sent(server, "anthropic", response_format=FORMAT, settings=settings)

    assert sorted(body["output_config"]) == ["effort", "format"]


@pytest.mark.parametrize(
    ("wire", "wanted", "knows"),
    [
        ("anthropic", ANY_JSON, "it knows `json_schema`"),
        ("gemini", {"type": "grammar"}, "it knows `json_schema` and `json_object`"),
    ],
)
async def test_a_format_that_an_api_has_no_word_for(
    server: ScriptedServer, wire: str, wanted: Any, knows: str
) -> None:
    with pytest.raises(ModelError) as caught:
        await sent(server, wire, response_format=wanted)

    assert (caught.value.kind, caught.value.hint) == ("bad_request", knows)


def streams() -> dict[str, str]:
    """Write the calls above as each maker streams them."""
    events: list[Any] = [{"type": "message_start", "message": {}}]
    for index, block in enumerate(CALLS["anthropic"]["content"]):
        begun = {**block, "input": {}} if block["type"] == "tool_use" else block
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        written = json.dumps(block.get("input", ""), ensure_ascii=False)
        for half in (written[:5], written[5:]) if "input" in block else ():
            delta = {"type": "input_json_delta", "partial_json": half}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
    events.append({"type": "message_delta", "delta": {"stop_reason": "tool_use"}})
    events.append({"type": "message_stop"})
    parts = CALLS["gemini"]["candidates"][0]["content"]["parts"]
    chunks: list[Any] = [{"candidates": [{"content": {"parts": [part]}}]} for part in parts]
    chunks.append({"candidates": [{"finishReason": "STOP"}]})
    return {
        "anthropic": "".join([f"data: {json.dumps(event)}\n\n" for event in events]),
        "gemini": "".join([f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]),
    }


@pytest.mark.parametrize("wire", ["anthropic", "gemini"])
async def test_streamed_calls_are_the_same(server: ScriptedServer, wire: str) -> None:
    server.answers(CALLS[wire])
    at_once = await ask(server, wire, make_request())
    server.answers(streams()[wire], Content_Type="text/event-stream")

    pieces = await ask(server, wire, make_request())

    assert replace(pieces, latency_s=0.0) == replace(at_once, latency_s=0.0)


READERS: dict[str, Callable[[Any], Generation]] = {
    "openai": lambda answer: read_answer(answer, n=1, latency_s=0.1),
    "anthropic": lambda answer: read_message(answer, latency_s=0.1, retry_after_s=None),
    "gemini": lambda answer: read_content(answer, n=1, latency_s=0.1, retry_after_s=None),
    "responses": lambda answer: read_response(answer, latency_s=0.1, retry_after_s=None),
}
WRITERS: dict[str, Callable[[tuple[Message, ...]], Any]] = {
    "openai": lambda turns: [chat_message(turn) for turn in turns],
    "anthropic": anthropic_turns,
    "gemini": lambda turns: gemini_turns(turns, signs=True),
    "responses": write_items,
}


@pytest.mark.parametrize("wire", PROVIDERS)
async def test_whatever_a_call_is_only_our_errors_come_of_it_and_it_can_be_sent_again(
    wire: str,
) -> None:
    async def one(answer: Any) -> Generation:
        if embedded_error_in(answer) is not None:
            raise ModelError("overloaded", "an error inside")
        found = READERS[wire](answer)
        turns = (
            Message("assistant", found.text, found.tool_calls),
            *[Message("tool", "x", tool_call_id=call.id) for call in found.tool_calls],
        )
        json.dumps(WRITERS[wire](turns)).encode()
        return found

    assert await check_odd_answers(one, CALLS[wire], request=make_request()) > 400
