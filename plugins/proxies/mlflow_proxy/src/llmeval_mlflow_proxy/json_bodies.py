"""JSON bodies as a strict reader sees them: every value of every key, also of one said twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_DEEPEST = 100


class UnreadableError(Exception):
    """A body that MLflow could understand otherwise than we do."""


class Fields(list[tuple[str, Any]]):
    """A JSON object as the pairs that were written; Any: JSON."""


def read_json(raw: bytes) -> Any:
    """Read a body as MLflow does, which also takes JSON text within a JSON string.

    Any: JSON, with `Fields` for objects.

    Raises:
        UnreadableError: it is not JSON, or nested too deeply.
    """
    try:
        content: Any = json.loads(raw, object_pairs_hook=Fields)
        if isinstance(content, str):
            content = json.loads(content, object_pairs_hook=Fields)
    except (ValueError, RecursionError) as err:
        raise UnreadableError("the body is not JSON") from err
    return content


def written(content: Any) -> bytes:
    """Write what was read, so that MLflow gets what was checked; of a key said twice the last.

    Any: what `read_json` gives.
    """
    return json.dumps(_plain(content)).encode()


def objects_in(content: Any, depth: int = 0) -> Iterator[Fields]:
    """Give every object in a value, the outer ones first; Any: what `read_json` gives.

    Raises:
        UnreadableError: it is nested too deeply.
    """
    if depth > _DEEPEST:
        raise UnreadableError("the body is nested too deeply")
    if isinstance(content, Fields):
        yield content
        for _, value in content:
            yield from objects_in(value, depth + 1)
    elif isinstance(content, list):
        for value in content:
            yield from objects_in(value, depth + 1)


def _plain(content: Any) -> Any:
    """Turn pairs into objects; Any: JSON."""
    if isinstance(content, Fields):
        return {key: _plain(value) for key, value in content}
    return [_plain(value) for value in content] if isinstance(content, list) else content
