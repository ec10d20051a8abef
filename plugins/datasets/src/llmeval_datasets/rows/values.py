"""Which text a value of a file is: one form for each type, never Python's own.

| value | text |
|---|---|
| text | as it stands |
| true, false | `true`, `false` |
| whole number | its digits, exactly |
| other number | JSON's canonical form (RFC 8785): 1.0 is `1`, 0.10 is `0.1`, 1e21 is `1e+21` |
| decimal | its digits with the places it has: `1.50` |
| date, time | ISO 8601 |
| UUID | its usual form |

Anything else is refused: null, NaN, infinity, lists, objects, binary data, durations.
"""

from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from llmeval_core.hooks import Json, plain_text

_MOST_DEPTH = 100
_SAID: tuple[tuple[type, str], ...] = (
    (float, "infinite"),
    (Decimal, "infinite"),
    (datetime.timedelta, "a duration"),
)


class FieldError(ValueError):
    """A row lacks a field, or a field has the wrong shape.

    Args:
        why: what is wrong.
        hint: what to try; None for the usual advice.
    """

    def __init__(self, why: str, *, hint: str | None = None) -> None:
        super().__init__(why)
        self.hint = hint


class NoFieldError(FieldError):
    """A row has no such field at all."""


class UnreadableValue:
    """Stands for a value of a file that cannot be read.

    Args:
        why: what it is, and why not.
    """

    def __init__(self, why: str) -> None:
        self.why = why


def text_of(value: Any) -> str:
    """Return the text of a value; Any: whatever a file has.

    Raises:
        FieldError: it has none; the message begins with `is`.
    """
    if isinstance(value, str):
        return _well_formed(value)
    try:
        text = plain_text(value)
    except ValueError:
        raise FieldError("is a number with thousands of digits") from None
    if text is not None:
        return text
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if isinstance(value, datetime.date | datetime.time) and not is_nan(value):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    plain = _plain(value)
    if plain is not value:
        return text_of(plain)
    raise FieldError(f"is {kind_of(value)}, not a text", hint=_hint(value))


def texts_of(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, or the one text of another value; Any: see `text_of`.

    Raises:
        FieldError: see `text_of`; the place in the list is said.
    """
    if isinstance(value, str):
        return (text_of(value),)
    value = _plain(value)
    if not isinstance(value, list | tuple):
        return (text_of(value),)
    texts = []
    for place, item in enumerate(value, start=1):
        try:
            texts.append(text_of(item))
        except FieldError as err:
            raise FieldError(f"has an item, number {place}, that {err}", hint=err.hint) from None
    return tuple(texts)


def listed(value: Any) -> list[Any] | tuple[Any, ...] | None:
    """Return the items of a list; None of anything else; Any: see `text_of`."""
    plain = _plain(value)
    return plain if isinstance(plain, list | tuple) else None


def json_of(value: Any, depth: int = 0) -> Json:
    """Return a value as JSON, for metadata; NaN is null; Any: see `text_of`.

    Raises:
        FieldError: it has no such form; the message begins with `is` or `has`.
    """
    value = _plain(value)
    if depth > _MOST_DEPTH:
        raise FieldError("is nested too deeply")
    if value is None or is_nan(value):
        return None
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {text_of(key): json_of(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_of(item, depth + 1) for item in value]
    return text_of(value)


def is_nan(value: Any) -> bool:
    """Tell what stands for a missing value where there is no null; Any: see `text_of`."""
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")


def is_missing(value: Any) -> bool:
    """Tell null, NaN, and text that is empty or only white space; Any: see `text_of`."""
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or is_nan(_plain(value))


def kind_of(value: Any) -> str:
    """Say what a value is, in the words of files and not of Python; Any: see `text_of`."""
    if value is None or is_nan(value):
        return "null" if value is None else "NaN"
    if isinstance(value, UnreadableValue):
        return value.why
    if isinstance(value, Mapping):
        return f"an object with {_some(value)}" if value else "an empty object"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, bytes | bytearray | memoryview):
        return f"binary data ({len(value)} bytes)"
    said = next((words for kind, words in _SAID if isinstance(value, kind)), None)
    return said or f"a value of type {type(value).__name__}"


def _well_formed(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise FieldError("has half a character (a lone surrogate)") from None
    return text if type(text) is str else str.__str__(text)


def _plain(value: Any) -> Any:
    """Turn numpy's scalars and arrays into what they hold; Any: see `text_of`."""
    if type(value).__module__ != "numpy" or not hasattr(value, "dtype"):
        return value
    if value.dtype.kind not in "biufUOM":
        return value
    plain = value.tolist()
    is_counted = value.dtype.kind == "M" and not isinstance(plain, datetime.date | list)
    return value if is_counted or type(plain) is type(value) else plain


def _some(value: Mapping[Any, Any]) -> str:
    """List the first keys; Any: see `text_of`."""
    keys = [str(key) for key in list(value)[:5]]
    return ", ".join([*keys, "..."] if len(value) > 5 else keys)


def _hint(value: Any) -> str | None:
    """Advise by what the value is; Any: see `text_of`."""
    if isinstance(value, Mapping) and value:
        key = str(next(iter(value)))
        return f"name the part that is meant, as in `FIELD.{key}`"
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        if value[0].keys() & {"role", "from"}:
            return "`messages: FIELD` sends the turns of a conversation as they are"
        return "name the part that is meant, as in `FIELD.0.content`, or write a template"
    if isinstance(value, bytes | bytearray | memoryview):
        return "store the column as text"
    return None
