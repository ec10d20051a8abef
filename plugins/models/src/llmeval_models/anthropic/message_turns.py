"""Conversations, tools and formats in the words of the Messages API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from llmeval_core.hooks import ImagePart, Message, Request
from llmeval_models.answers.call_state import split_state
from llmeval_models.answers.tool_calls import arguments_object, json_schema_of, parameters_of

_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


def write_turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write the turns of a conversation; Any: JSON.

    What tools answer is a turn of the user, together for all calls of one turn. Before a call
    stands the thought that it came with, which the API wants back.

    Raises:
        ModelError: `bad_request`, the arguments of a call are no object.
    """
    turns: list[dict[str, Any]] = []
    is_after_tool = False
    for message in messages:
        if message.role == "tool":
            if not is_after_tool:
                turns.append({"role": "user", "content": []})
            turns[-1]["content"].append(
                {
                    "type": "tool_result",
                    "tool_use_id": split_state(message.tool_call_id or "")[0],
                    "content": _content(message),
                }
            )
        elif message.tool_calls:
            turns.append({"role": message.role, "content": _calling(message)})
        else:
            turns.append({"role": message.role, "content": _content(message)})
        is_after_tool = message.role == "tool"
    return turns


def write_offers(request: Request) -> dict[str, Any]:
    """Write what may be called, and what the answer must look like; Any: JSON.

    Raises:
        ModelError: `bad_request`, there is no word for the format.
    """
    body: dict[str, Any] = {}
    if request.tools:
        body["tools"] = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": parameters_of(tool),
            }
            for tool in request.tools
        ]
    choice = request.tool_choice
    if choice in _CHOICES:
        body["tool_choice"] = {"type": _CHOICES[choice]}
    elif choice is not None:
        body["tool_choice"] = {"type": "tool", "name": choice}
    if request.response_format is not None:
        schema = json_schema_of(request.response_format, knows="`json_schema`")
        if schema is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _content(message: Message) -> Any:
    """Write a text as it is, parts as blocks."""
    if isinstance(message.content, str):
        return message.content
    return [
        _image(part) if isinstance(part, ImagePart) else {"type": "text", "text": part.text}
        for part in message.content
    ]


def _image(part: ImagePart) -> dict[str, Any]:
    if part.url is not None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    data = base64.b64encode(part.data).decode()
    source = {"type": "base64", "media_type": part.media_type, "data": data}
    return {"type": "image", "source": source}


def _calling(message: Message) -> list[dict[str, Any]]:
    """Write an answer that calls tools: its thought, its text, its calls."""
    blocks: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for call in message.tool_calls:
        identity, state = split_state(call.id)
        blocks += state if isinstance(state, list) else []
        use = {"type": "tool_use", "id": identity, "name": call.name}
        calls.append(use | {"input": arguments_object(call)})
    if message.text:
        blocks.append({"type": "text", "text": message.text})
    return blocks + calls
