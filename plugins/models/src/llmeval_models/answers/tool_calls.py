"""Calls of tools: read from an answer, whole or in the pieces of a stream, and sent again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmeval_core.hooks import Json, ModelError, ToolCall, ToolSpec
from llmeval_models.answers.whole_text import whole_text

_MOST_CALLS = 1000


def read_calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Read the calls of a message; what is none is left out. Any: JSON of any shape.

    Pieces of a stream belong together by their `index`; their names and arguments follow each
    other. A call without an id is called by its place.

    Raises:
        ModelError: `malformed`, there are too many, or arguments are nested too deeply.
    """
    listed = message.get("tool_calls")
    if not isinstance(listed, list):
        one = message.get("function_call")
        listed = [{"function": one}] if isinstance(one, dict) else []
    calls: dict[int, _Call] = {}
    for place, piece in enumerate(listed):
        function = piece.get("function") if isinstance(piece, dict) else None
        if not isinstance(function, dict):
            continue
        index = piece.get("index")
        call = calls.setdefault(index if type(index) is int else -place - 1, _Call())
        call.identity = call.identity or _text(piece.get("id"))
        call.names.append(_text(function.get("name")))
        call.arguments.append(_arguments(function.get("arguments")))
        if len(calls) > _MOST_CALLS:
            raise ModelError("malformed", f"the answer calls tools more than {_MOST_CALLS:,} times")
    return tuple(
        ToolCall(whole_text(call.identity) or f"call_{place}", name, call.joined())
        for place, call in enumerate(calls.values())
        if (name := whole_text("".join(call.names)))
    )


@dataclass(slots=True)
class _Call:
    """One call in the pieces that came of it; a piece may end in half a character."""

    identity: str = ""
    names: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)

    def joined(self) -> str:
        return whole_text("".join(self.arguments))


def arguments_object(call: ToolCall) -> dict[str, Any]:
    """Read the arguments of a call, for APIs that want them as an object; Any: JSON.

    Raises:
        ModelError: `bad_request`, they are none.
    """
    try:
        found = json.loads(call.arguments) if call.arguments.strip() else {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ModelError(
            "bad_request", f"the arguments of a call of '{call.name}' are not a JSON object"
        )
    return found


def parameters_of(tool: ToolSpec) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments; Any: JSON."""
    return dict(tool.parameters) or {"type": "object", "properties": {}}


def json_schema_of(response_format: Mapping[str, Json], *, knows: str) -> dict[str, Any] | None:
    """Find the schema that an answer must fit; None if it is any text. Any: JSON.

    Args:
        response_format: as OpenAI writes it.
        knows: what else than a schema the API knows, for people.

    Raises:
        ModelError: `bad_request`, it wants something else.
    """
    kind = response_format.get("type")
    if kind == "text":
        return None
    told = response_format.get("json_schema")
    schema = told.get("schema") if kind == "json_schema" and isinstance(told, dict) else None
    if not isinstance(schema, dict):
        raise ModelError(
            "bad_request",
            f"this API has no word for a response_format of type '{kind}'",
            hint=f"it knows {knows}",
        )
    return schema


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    """Take arguments as the text that most servers give, or of the JSON that some give.

    What is no object stays what it is: the tool is not called as if without arguments.

    Raises:
        ModelError: `malformed`, they are nested too deeply.
    """
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError as err:
        raise ModelError(
            "malformed", "the arguments of a call of a tool are nested too deeply"
        ) from err
