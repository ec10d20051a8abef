"""JSON bodies read strictly: every value of every key, also of a key that occurs twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_DEEPEST = 100


class UnreadableBodyError(Exception):
    """A body that MLflow might read differently."""


class JsonPairs(list[tuple[str, Any]]):
    """A JSON object as the pairs that were written; Any: JSON."""


def read_json(raw: bytes) -> Any:
    """Read a body as MLflow does, which also takes JSON text within a JSON string.

    Any: JSON, with `JsonPairs` for objects.

    Raises:
        UnreadableBodyError: it is not JSON, or nested too deeply.
    """
    try:
        content: Any = json.loads(raw, object_pairs_hook=JsonPairs)
        if isinstance(content, str):
            content = json.loads(content, object_pairs_hook=JsonPairs)
    except (ValueError, RecursionError) as err:
        raise UnreadableBodyError("the body is not JSON") from err
    return content


def encoded(content: Any) -> bytes:
    """Encode what was read, so that MLflow gets what was checked; of equal keys the last stays.

    Any: what `read_json` gives.
    """
    return json.dumps(_plain(content)).encode()


def objects_in(content: Any, depth: int = 0) -> Iterator[JsonPairs]:
    """Yield every object in a value, the outer ones first; Any: what `read_json` gives.

    Raises:
        UnreadableBodyError: it is nested too deeply.
    """
    if depth > _DEEPEST:
        raise UnreadableBodyError("the body is nested too deeply")
    if isinstance(content, JsonPairs):
        yield content
        for _, value in content:
            yield from objects_in(value, depth + 1)
    elif isinstance(content, list):
        for value in content:
            yield from objects_in(value, depth + 1)


def _plain(content: Any) -> Any:
    """Turn pairs into objects; Any: JSON."""
    if isinstance(content, JsonPairs):
        return {key: _plain(value) for key, value in content}
    return [_plain(value) for value in content] if isinstance(content, list) else content
