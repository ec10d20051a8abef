"""Conversations of a row: the turns that are asked, and the answer that is expected."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmeval_core.hooks import ConfigError, Json, Message
from llmeval_datasets.rows.fields import Field, Row, compile_field, is_template
from llmeval_datasets.rows.values import FieldError, is_missing, kind_of, listed, text_of

USUAL_COLUMNS = ("messages", "conversations")
"""Columns that are taken for conversations where nothing else is asked."""

SUPPORTED = (
    "supported are turns of system (developer), user and assistant with text; tools, images and "
    "audio are not"
)
_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
}
_TOOL_ROLES = frozenset({"tool", "function", "function_call", "observation", "ipython"})
_CALLS = ("tool_calls", "function_call")
_OFFERS = ("tools", "functions")
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_LONGEST_LITERAL = 100_000


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the file.

    Args:
        turns: what is asked, one turn or more; the last is the user's.
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

    def read(self, row: Row) -> Conversation:
        """Read the conversation of one row.

        Raises:
            FieldError: it is not there, or has a turn that cannot be sent as it is.
        """
        try:
            return _conversation(row, self._field.read(row))
        except _TurnError as err:
            raise self._field.error(row, err) from None


class _TurnError(FieldError):
    """What is wrong with a conversation; the message follows the name of the column."""


def _conversation(row: Row, value: Any) -> Conversation:
    """Read the turns of a row; Any: what stands in the file."""
    for key in _OFFERS:
        if key in row and not _is_none(row[key]):
            raise _TurnError(
                f"comes with `{key}`, which are not sent to the model",
                hint=f"{SUPPORTED}; without the column `{key}` the turns are sent alone",
            )
    if isinstance(value, str):
        value = _literal(value)
    items = listed(value)
    if items is None:
        raise _TurnError(f"is {_said(value)}, not a list of turns", hint=SUPPORTED)
    if not items:
        raise _TurnError("has no turn")
    turns = [_turn(item, place) for place, item in enumerate(items, start=1)]
    answer = turns.pop().text if turns[-1].role == "assistant" else None
    if not turns or turns[-1].role != "user":
        raise _TurnError(_no_question(turns, answer), hint="the turn that is answered is a user's")
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


def _turn(item: Any, place: int) -> Message:
    """Read one turn; Any: what stands in the file."""
    if not isinstance(item, Mapping):
        raise _TurnError(
            f"has turn {place}, which is {_said(item)}, not an object with role and content"
        )
    role_key, content_key = ("from", "value") if _has(item, "from") else ("role", "content")
    given = item.get(role_key)
    named = f"turn {place}" + (f" ({given})" if isinstance(given, str) and given else "")
    if given is None:
        raise _TurnError(f"has {named} without a role; it has {_keys(item)}", hint=SUPPORTED)
    if not isinstance(given, str):
        raise _TurnError(f"has {named} with a role that is {_said(given)}, not a text")
    if given in _TOOL_ROLES:
        raise _TurnError(f"has {named}, what a tool gave: tools are not supported", hint=SUPPORTED)
    if given not in _ROLES:
        raise _TurnError(f"has {named} with an unknown role", hint=SUPPORTED)
    for key in _CALLS:
        if _has(item, key) and not _is_none(item[key]):
            raise _TurnError(f"has {named} that calls a tool (`{key}`)", hint=SUPPORTED)
    if _has(item, "name") and not _is_none(item["name"]):
        raise _TurnError(
            f"has {named} with a `name`, which is not sent to the model",
            hint="take the names out, or into the text",
        )
    return Message(_ROLES[given], _content(item, content_key, named))


def _content(item: Mapping[str, Any], key: str, named: str) -> str:
    """Read the text of a turn; Any: what stands in the file."""
    if key not in item:
        raise _TurnError(f"has {named} without `{key}`; it has {_keys(item)}", hint=SUPPORTED)
    content = item[key]
    parts = None if isinstance(content, str) else listed(content)
    if parts is not None:
        texts = [_part(part, f"{named}, part {place}") for place, part in enumerate(parts, 1)]
        content = "".join(texts)
    if not isinstance(content, str):
        raise _TurnError(f"has {named} with a `{key}` that is {_said(content)}, not a text")
    if not content or content.isspace():
        raise _TurnError(f"has {named}, which is empty")
    return _checked(content, named)


def _part(part: Any, named: str) -> str:
    """Read one part of a turn's content; Any: what stands in the file."""
    if not isinstance(part, Mapping):
        raise _TurnError(f"has {named}, which is {_said(part)}, not an object with type and text")
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        said = f"of type '{kind}'" if isinstance(kind, str) else "without a type"
        raise _TurnError(f"has {named}, which is {said}, not text", hint=SUPPORTED)
    text = part.get("text")
    if not isinstance(text, str):
        raise _TurnError(f"has {named} with a text that is {_said(text)}, not a text")
    return _checked(text, named)


def _checked(text: str, named: str) -> str:
    try:
        return text_of(text)
    except FieldError as err:
        raise _TurnError(f"has {named}, which {err}") from None


def _literal(text: str) -> Json:
    """Read a list that was written as text, as JSON or as Python writes it."""
    bare = text.strip()
    if not bare.startswith("["):
        raise _TurnError("is a text, not a list of turns", hint=f"{SUPPORTED}; or set `input`")
    try:
        return json.loads(bare)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as err:
        why = err
    if len(bare) <= _LONGEST_LITERAL:
        try:
            return ast.literal_eval(bare)  # type: ignore[no-any-return]
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            pass
    raise _TurnError(f"is a text that begins with [ and is not JSON: {why}")


def _has(item: Mapping[str, Any], key: str) -> bool:
    """Tell whether a turn says this; columns of tables say nothing by null."""
    return item.get(key) is not None


def _is_none(value: Any) -> bool:
    """Tell what says that there is nothing: null, an empty list, also written as text.

    Any: what stands in the file.
    """
    if isinstance(value, str) and value.strip() in ("[]", "{}", "null", "None"):
        return True
    items = listed(value)
    if items is not None or isinstance(value, Mapping):
        return not (items or value)
    return is_missing(value)


def _keys(item: Mapping[str, Any]) -> str:
    return ", ".join([str(key) for key in item][:8]) or "nothing"


def _said(value: Any) -> str:
    """Say what a value is; Any: what stands in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and not is_missing(value):
        return f"the number {value}"[:40]
    return "a text" if isinstance(value, str) else kind_of(value)
