"""Conversations of a row: the turns that are asked, and the answer that is expected."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval_core.hooks import ConfigError, Json, Message
from llmeval_datasets.rows.fields import Field, Row, compile_field, is_template
from llmeval_datasets.rows.tool_turns import call_id_of, calls_of, check_calls
from llmeval_datasets.rows.turn_content import content_of
from llmeval_datasets.rows.turn_words import SUPPORTED, TurnError, has, is_none, keys, said
from llmeval_datasets.rows.values import listed

USUAL_COLUMNS = ("messages", "conversations")
"""Columns that are taken for conversations where nothing else is asked."""

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "tool": "tool",
}
_ASKING = frozenset({"user", "tool"})
_OTHER_TOOL_ROLES = frozenset({"function", "function_call", "observation", "ipython"})
_OFFERS = ("tools", "functions")
_LONGEST_LITERAL = 100_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the file.

    Args:
        turns: what is asked, one turn or more; the last is the user's, or what a tool gave.
        answer: the text of the assistant's turn after them; None if the file ends before it.
    """

    turns: tuple[Message, ...]
    answer: str | None


class ConversationReader:
    """Reads the conversation of a row, in the form of OpenAI's or of ShareGPT's files.

    Args:
        expression: the column, or a path to it.

    Raises:
        ConfigError: it is a template.
    """

    def __init__(self, expression: str) -> None:
        if is_template(expression):
            raise ConfigError(
                "`messages` is a template, and only a column or a path has turns",
                hint="name the column, as in `messages: messages`; `input` takes templates",
            )
        self._field: Field = compile_field(expression, "messages")

    def read(self, row: Row, folder: Path | None) -> Conversation:
        """Read the conversation of one row.

        Args:
            row: the row.
            folder: what paths of images are relative to; None if there is none.

        Raises:
            FieldError: it is not there, or has a turn that cannot be sent as it is.
        """
        try:
            return _conversation(row, self._field.read(row), folder)
        except TurnError as err:
            raise self._field.error(row, err) from None


def _conversation(row: Row, value: Any, folder: Path | None) -> Conversation:
    """Read the turns of a row; Any: what stands in the file."""
    for key in _OFFERS:
        if key in row and not is_none(row[key]):
            raise TurnError(
                f"comes with `{key}`, which are not sent to the model",
                hint=f"without the column `{key}` the turns are sent alone; the solver `tool_loop` "
                "offers tools",
            )
    if isinstance(value, str):
        value = _literal(value)
    items = listed(value)
    if items is None:
        raise TurnError(f"is {said(value)}, not a list of turns", hint=SUPPORTED)
    if not items:
        raise TurnError("has no turn")
    turns = [_turn(item, place, folder) for place, item in enumerate(items, start=1)]
    is_answered = turns[-1].role == "assistant" and not turns[-1].tool_calls
    answer = turns.pop().text if is_answered else None
    check_calls(turns)
    if not turns or turns[-1].role not in _ASKING:
        raise TurnError(
            _no_question(turns, answer),
            hint="the turn that is answered is a user's, or what a tool gave",
        )
    return Conversation(tuple(turns), answer)


def _no_question(turns: list[Message], answer: str | None) -> str:
    if answer is None:
        return f"ends with a turn of {turns[-1].role}, so that nothing is asked"
    if not turns:
        return "has one turn, of assistant, so that nothing is asked"
    return (
        f"has turn {len(turns)} of {turns[-1].role} before the last one of assistant, "
        "so that nothing is asked"
    )


def _turn(item: Any, place: int, folder: Path | None) -> Message:
    """Read one turn; Any: what stands in the file."""
    if not isinstance(item, Mapping):
        raise TurnError(
            f"has turn {place}, which is {said(item)}, not an object with role and content"
        )
    role_key, content_key = ("from", "value") if has(item, "from") else ("role", "content")
    given = item.get(role_key)
    named = f"turn {place}" + (f" ({given})" if isinstance(given, str) and given else "")
    if given is None:
        raise TurnError(f"has {named} without a role; it has {keys(item)}", hint=SUPPORTED)
    if not isinstance(given, str):
        raise TurnError(f"has {named} with a role that is {said(given)}, not a text")
    if given in _OTHER_TOOL_ROLES:
        raise TurnError(
            f"has {named}, a tool's turn in a form that is not supported",
            hint="write calls as `tool_calls` of assistant, and what came out as turns of `tool`",
        )
    if given not in _ROLES:
        raise TurnError(f"has {named} with an unknown role", hint=SUPPORTED)
    role = _ROLES[given]
    calls = calls_of(item, named, role=role)
    if role != "tool" and has(item, "name") and not is_none(item["name"]):
        raise TurnError(
            f"has {named} with a `name`, which is not sent to the model",
            hint="take the names out, or into the text",
        )
    call_id = call_id_of(item, named, role=role)
    is_needed = role != "tool" and not calls
    content = content_of(item, content_key, named, role=role, folder=folder, is_needed=is_needed)
    return Message(role, content, calls, call_id)


def _literal(text: str) -> Json:
    """Read a list that was written as text, as JSON or as Python writes it."""
    bare = text.strip()
    if not bare.startswith("["):
        raise TurnError("is a text, not a list of turns", hint=f"{SUPPORTED}; or set `input`")
    try:
        return json.loads(bare)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as err:
        why = err
    if len(bare) <= _LONGEST_LITERAL:
        try:
            return ast.literal_eval(bare)  # type: ignore[no-any-return]
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            pass
    raise TurnError(f"is a text that begins with [ and is not JSON: {why}")
