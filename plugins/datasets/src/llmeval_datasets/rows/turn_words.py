"""What is wrong with a turn of a conversation, in the words of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmeval_datasets.rows.values import FieldError, is_missing, kind_of, listed, text_of

SUPPORTED = (
    "supported are turns of system (developer), user, assistant and tool with text, images of "
    "user and tool, and `tool_calls` of assistant; audio and files are not"
)


class TurnError(FieldError):
    """What is wrong with a conversation; the message follows the name of the column."""


def has(item: Mapping[str, Any], key: str) -> bool:
    """Tell whether a turn says this; columns of tables say nothing by null."""
    return item.get(key) is not None


def is_none(value: Any) -> bool:
    """Tell what says that there is nothing: null, an empty list, also written as text.

    Any: what stands in the file.
    """
    if isinstance(value, str) and value.strip() in ("[]", "{}", "null", "None"):
        return True
    items = listed(value)
    if items is not None or isinstance(value, Mapping):
        return not (items or value)
    return is_missing(value)


def keys(item: Mapping[str, Any]) -> str:
    """List the first keys of an object."""
    return ", ".join([str(key) for key in item][:8]) or "nothing"


def said(value: Any) -> str:
    """Say what a value is; Any: what stands in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and not is_missing(value):
        return f"the number {value}"[:40]
    return "a text" if isinstance(value, str) else kind_of(value)


def checked(text: str, named: str) -> str:
    """Return a text that can be sent.

    Raises:
        TurnError: it has half a character.
    """
    try:
        return text_of(text)
    except FieldError as err:
        raise TurnError(f"has {named}, which {err}") from None


def needed_text(item: Mapping[str, Any], key: str, named: str) -> str:
    """Read a text of an object that may not be empty; Any: what stands in the file.

    Raises:
        TurnError: it is not there, is no text, or empty.
    """
    if not has(item, key):
        raise TurnError(f"has {named} without `{key}`; it has {keys(item)}", hint=SUPPORTED)
    value = item[key]
    if not isinstance(value, str):
        raise TurnError(f"has {named} with a `{key}` that is {said(value)}, not a text")
    if not value or value.isspace():
        raise TurnError(f"has {named} with an empty `{key}`")
    return checked(value, named)
