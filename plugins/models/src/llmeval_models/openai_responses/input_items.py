"""Conversations, tools and formats in the words of the Responses API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmeval_core.hooks import ImagePart, Message, Request
from llmeval_models.answers.call_state import split_state
from llmeval_models.answers.tool_calls import parameters_of

_CHOICES = ("auto", "none", "required")


def write_items(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write a conversation as items of input; Any: JSON.

    Calls and what tools answer are items of their own; before a call stands the thought that it
    came with, which reasoning models go on from.
    """
    items: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            called = split_state(message.tool_call_id or "")[0]
            output: Any = message.text if not message.images else _content(message)
            items.append({"type": "function_call_output", "call_id": called, "output": output})
            continue
        calls = [(call, *split_state(call.id)) for call in message.tool_calls]
        for _, _, state in calls:
            items += state if isinstance(state, list) else []
        if message.content or not calls:
            items.append({"role": message.role, "content": _content(message)})
        for call, identity, _ in calls:
            made = {"call_id": identity, "name": call.name, "arguments": call.arguments}
            items.append({"type": "function_call", **made})
    return items


def write_offers(request: Request) -> dict[str, Any]:
    """Write what may be called, and what the answer must look like; Any: JSON."""
    body: dict[str, Any] = {}
    if request.tools:
        body["tools"] = [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": parameters_of(tool),
                "strict": False,  # as in chat completions; here it would be the default
            }
            for tool in request.tools
        ]
    choice = request.tool_choice
    if choice in _CHOICES:
        body["tool_choice"] = choice
    elif choice is not None:
        body["tool_choice"] = {"type": "function", "name": choice}
    wanted = request.response_format
    if wanted is not None:
        told = wanted.get("json_schema")  # here it lies flat
        schema = told if wanted.get("type") == "json_schema" and isinstance(told, dict) else {}
        body["text"] = {"format": {"type": wanted.get("type"), **schema}}
    return body


def _content(message: Message) -> Any:
    """Write a text as it is, parts as parts of input."""
    if isinstance(message.content, str):
        return message.content
    return [
        {"type": "input_image", "image_url": part.address}
        if isinstance(part, ImagePart)
        else {"type": "input_text", "text": part.text}
        for part in message.content
    ]
