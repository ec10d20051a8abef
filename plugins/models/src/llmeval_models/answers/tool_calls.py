"""Which tools a model calls: whole, or in the pieces of a stream."""

from __future__ import annotations

import json
from typing import Any

from llmeval_core.hooks import ToolCall
from llmeval_models.answers.whole_text import whole_text

_MOST_CALLS = 1000


def read_calls(message: dict[str, Any]) -> tuple[ToolCall, ...]:
    """Read the calls of a message; what is none is left out. Any: JSON of any shape.

    Pieces of a stream belong together by their `index`; their names and arguments follow each
    other. A call without an id is called by its place.
    """
    listed = message.get("tool_calls")
    if not isinstance(listed, list):
        one = message.get("function_call")
        listed = [{"function": one}] if isinstance(one, dict) else []
    calls: dict[int, list[str]] = {}
    for place, piece in enumerate(listed[:_MOST_CALLS]):
        function = piece.get("function") if isinstance(piece, dict) else None
        if not isinstance(function, dict):
            continue
        index = piece.get("index")
        call = calls.setdefault(index if type(index) is int else -place - 1, ["", "", ""])
        call[0] = call[0] or _text(piece.get("id"))
        call[1] += _text(function.get("name"))
        call[2] += _arguments(function.get("arguments"))
    return tuple(
        ToolCall(identity or f"call_{place}", name, arguments)
        for place, (identity, name, arguments) in enumerate(calls.values())
        if name
    )


def _text(value: Any) -> str:
    return whole_text(value) if isinstance(value, str) else ""


def _arguments(value: Any) -> str:
    """Take arguments as the text that most servers give, or of the object that some give."""
    return _text(json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value)
