"""The last JSON object in a text: what a judge gives where no schema holds it to one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_MOST_STARTS = 200
"""Opening braces that are tried, from the last one backwards."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that says one thing twice: which of the two is meant, nobody knows."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key comes twice")
    return content


def _refuse(constant: str) -> None:
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(constant)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)


@dataclass(frozen=True, slots=True)
class JsonBlock:
    """A JSON object in a text.

    Args:
        content: what it says.
        source: as it stands in the text.
        rest: what follows it there, without the end of a code fence.
    """

    content: Mapping[str, object]
    source: str
    rest: str = ""


def whole_json(text: str) -> JsonBlock | None:
    """Read a text that is a JSON object and nothing else; None if it is not."""
    source = text.strip()
    content = _object_at(source, 0)
    if content is None or content[1] != len(source):
        return None
    return JsonBlock(content[0], source)


def last_json(text: str) -> JsonBlock | None:
    """Find the object that ends last in a text; of objects in one another the outermost.

    NaN, infinite numbers and objects with a key twice are no JSON. None if there is no object.
    """
    found: tuple[int, int, Mapping[str, object]] | None = None
    start = len(text)
    for _ in range(_MOST_STARTS):
        start = text.rfind("{", 0, start)
        if start < 0:
            break
        decoded = _object_at(text, start)
        # From the last brace backwards: what ends later is outside of what was found.
        if decoded is not None and (found is None or decoded[1] > found[1]):
            found = (start, decoded[1], decoded[0])
    if found is None:
        return None
    start, end, content = found
    return JsonBlock(content, text[start:end], text[end:].strip().removeprefix("```").strip())


def _object_at(text: str, start: int) -> tuple[Mapping[str, object], int] | None:
    try:
        content, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return (content, end) if isinstance(content, dict) else None
