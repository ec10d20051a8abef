"""Conversations, tools and formats in the words of generateContent."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from llmeval_core.hooks import ImagePart, Message, Request
from llmeval_models.answers.call_state import split_state
from llmeval_models.answers.tool_calls import arguments_object, json_schema_of, parameters_of

_ROLES = {"assistant": "model", "tool": "user"}
_CHOICES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_UNSIGNED = "skip_thought_signature_validator"
"""What Google documents for calls that no Gemini made, which have no signature."""


def write_turns(messages: Sequence[Message], *, signs: bool) -> list[dict[str, Any]]:
    """Write the turns of a conversation; Any: JSON.

    What tools answer is a turn of the user, together for all calls of one turn, as the API wants.

    Args:
        messages: the conversation.
        signs: whether the model wants each turn's first call signed; Gemini 3 and later do.

    Raises:
        ModelError: `bad_request`, the arguments of a call are no object.
    """
    turns: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    is_after_tool = False
    for message in messages:
        parts = _answer(message, names) if message.role == "tool" else _parts(message)
        parts += _calls(message, signs=signs)
        names |= {call.id: call.name for call in message.tool_calls}
        if message.role == "tool" and is_after_tool:
            turns[-1]["parts"] += parts
        else:
            turns.append({"role": _ROLES.get(message.role, message.role), "parts": parts})
        is_after_tool = message.role == "tool"
    return turns


def write_tools(request: Request) -> dict[str, Any]:
    """Write what may be called; Any: JSON."""
    body: dict[str, Any] = {}
    if request.tools:
        declared = [
            {
                "name": tool.name,
                "description": tool.description,
                "parametersJsonSchema": parameters_of(tool),
            }
            for tool in request.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    choice = request.tool_choice
    if choice is not None:
        named = {"mode": "ANY", "allowedFunctionNames": [choice]}
        mode = {"mode": _CHOICES[choice]} if choice in _CHOICES else named
        body["toolConfig"] = {"functionCallingConfig": mode}
    return body


def write_format(request: Request) -> dict[str, Any]:
    """Write what the answer must look like, for `generationConfig`; Any: JSON.

    Raises:
        ModelError: `bad_request`, there is no word for it.
    """
    wanted = request.response_format
    if wanted is None:
        return {}
    if wanted.get("type") == "json_object":
        return {"responseMimeType": "application/json"}
    schema = json_schema_of(wanted, knows="`json_schema` and `json_object`")
    if schema is None:
        return {}
    return {"responseMimeType": "application/json", "responseJsonSchema": schema}


def _parts(message: Message) -> list[dict[str, Any]]:
    if isinstance(message.content, str):
        return [{"text": message.content}] if message.content or not message.tool_calls else []
    return [
        _image(part) if isinstance(part, ImagePart) else {"text": part.text}
        for part in message.content
    ]


def _image(part: ImagePart) -> dict[str, Any]:
    if part.url is not None:
        return {"fileData": {"mimeType": part.media_type, "fileUri": part.url}}
    data = base64.b64encode(part.data).decode()
    return {"inlineData": {"mimeType": part.media_type, "data": data}}


def _calls(message: Message, *, signs: bool) -> list[dict[str, Any]]:
    """Write calls; the first of a turn is signed, as the model signed it."""
    parts: list[dict[str, Any]] = []
    for call in message.tool_calls:
        identity, state = split_state(call.id)
        made = {"name": call.name, "args": arguments_object(call)}
        if not identity.startswith("call_"):  # the API gives few of them an id
            made["id"] = identity
        if isinstance(state, str):
            parts.append({"functionCall": made, "thoughtSignature": state})
        elif signs and not parts:
            parts.append({"functionCall": made, "thoughtSignature": _UNSIGNED})
        else:
            parts.append({"functionCall": made})
    return parts


def _answer(message: Message, names: dict[str, str]) -> list[dict[str, Any]]:
    """Write what a tool answered, under the name of the tool that was called."""
    called = message.tool_call_id or ""
    identity, _ = split_state(called)
    answer = {"name": names.get(called, identity), "response": {"result": message.text}}
    if identity and not identity.startswith("call_"):
        answer["id"] = identity
    images = [_image(part) for part in message.images]
    return [{"functionResponse": answer}, *images]
