"""Calls of tools in a conversation, and what the tools gave."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval_core.hooks import Message, ToolCall
from llmeval_datasets.rows.turn_words import (
    SUPPORTED,
    TurnError,
    checked,
    has,
    is_none,
    needed_text,
    said,
)
from llmeval_datasets.rows.values import FieldError, json_of, listed


def calls_of(item: Mapping[str, Any], named: str, *, role: str) -> tuple[ToolCall, ...]:
    """Read what a turn calls, in OpenAI's form; Any: what stands in the file.

    Raises:
        TurnError: it is no call, or not of an assistant.
    """
    if has(item, "function_call") and not is_none(item["function_call"]):
        raise TurnError(
            f"has {named} with `function_call`, the old form of a call",
            hint="write it as `tool_calls`, with an id that the tool's turn refers to",
        )
    if not has(item, "tool_calls") or is_none(item["tool_calls"]):
        return ()
    if role != "assistant":
        raise TurnError(f"has {named} with `tool_calls`, which only assistant makes")
    value = item["tool_calls"]
    items = listed(value)
    if items is None:
        raise TurnError(f"has {named} with `tool_calls` that are {said(value)}, not a list")
    return tuple(_call(one, f"{named}, call {place}") for place, one in enumerate(items, start=1))


def call_id_of(item: Mapping[str, Any], named: str, *, role: str) -> str | None:
    """Read which call a tool's turn answers; None of other turns; Any: what stands in the file.

    Raises:
        TurnError: it is not there.
    """
    return needed_text(item, "tool_call_id", named) if role == "tool" else None


def check_calls(turns: Sequence[Message]) -> None:
    """See to it that each call is answered by the turns after it, and that these answer calls.

    Raises:
        TurnError: servers would refuse the conversation.
    """
    waiting: dict[str, int] = {}
    for place, turn in enumerate(turns, start=1):
        if turn.role == "tool":
            if turn.tool_call_id not in waiting:
                raise TurnError(
                    f"has turn {place} (tool) with a `tool_call_id` that no call before it waits "
                    "for"
                )
            del waiting[turn.tool_call_id]
            continue
        _refuse_waiting(waiting)
        for call in turn.tool_calls:
            if call.id in waiting:
                raise TurnError(f"has turn {place} ({turn.role}) with two calls of one id")
            waiting[call.id] = place
    _refuse_waiting(waiting)


def _refuse_waiting(waiting: Mapping[str, int]) -> None:
    for call_id, place in waiting.items():
        raise TurnError(
            f"has turn {place} (assistant) with a call, '{call_id[:40]}', that no turn of tool "
            "answers"
        )


def _call(item: Any, named: str) -> ToolCall:
    """Read one call; Any: what stands in the file."""
    if not isinstance(item, Mapping):
        raise TurnError(f"has {named}, which is {said(item)}, not an object")
    kind = item.get("type")
    if kind not in (None, "function"):
        what = f"of type '{kind}'" if isinstance(kind, str) else f"with a type that is {said(kind)}"
        raise TurnError(f"has {named}, which is {what}, not function", hint=SUPPORTED)
    called = item.get("function")
    if not isinstance(called, Mapping):
        raise TurnError(f"has {named} with a `function` that is {said(called)}, not an object")
    return ToolCall(
        needed_text(item, "id", named),
        needed_text(called, "name", named),
        _arguments(called, named),
    )


def _arguments(called: Mapping[str, Any], named: str) -> str:
    """Read arguments: a text as it stands, or an object, written as JSON.

    Any: what stands in the file.
    """
    value = called.get("arguments")
    if value is None:
        return ""
    if isinstance(value, str):
        return checked(value, named)
    if not isinstance(value, Mapping):
        raise TurnError(
            f"has {named} with `arguments` that are {said(value)}, not a text or an object"
        )
    try:
        return json.dumps(json_of(value), ensure_ascii=False)
    except FieldError as err:
        raise TurnError(f"has {named} with `arguments`, of which a value {err}") from None
