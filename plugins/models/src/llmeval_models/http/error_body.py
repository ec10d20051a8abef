"""Reading the body of an error response: OpenAI's error JSON, everybody else's, or any text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LONGEST_BYTES = 256 * 1024
_LONGEST_CHARS = 2000
_DEEPEST = 6
_CODES = ("code", "type", "status", "__type", "error_type", "reason")
_MESSAGES = ("message", "Message", "msg", "detail", "error_description", "title", "error")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What the body of an error response says.

    Attributes:
        message: for people; empty if there is none.
        code: its words for machines, in small letters: `insufficient_quota`, `content_filter`.
        parameters: which keys of the request it is about, as far as it names them apart.
        json: the whole body; None if it is no JSON. Any: whatever the server sent.
        is_html: whether it is a web page: what answers is no API.
    """

    message: str
    code: str
    parameters: tuple[str, ...]
    json: Any
    is_html: bool

    @property
    def words(self) -> str:
        """Code and message in small letters, to look for words in."""
        return f"{self.code} {self.message}".lower()


def read_error(content: bytes) -> ErrorBody:
    """Read the body of an error response; any content is read as far as it can be."""
    text = content[:_LONGEST_BYTES].decode("utf-8", "replace").strip()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        lowered = text[:1000].lower()
        is_html = lowered.startswith(("<!doctype html", "<html")) or "<body" in lowered
        return ErrorBody(" ".join(text[:_LONGEST_CHARS].split()), "", (), None, is_html)
    found = list(_objects(body))
    message = next((text for one in found if (text := _message(one))), "")
    inner = _of_upstream(found)
    if inner is not None and inner.message not in message:
        message = f"{message}: {inner.message}" if message else inner.message
    if not message and body not in ("", None, {}, []):
        message = body if isinstance(body, str) else _written(body)
    codes = [
        str(one[key]) for one in found for key in _CODES if isinstance(one.get(key), str | int)
    ]
    parameters = tuple(name for one in found for name in _parameters(one))
    if inner is not None:
        codes.append(inner.code)
        parameters += inner.parameters
    return ErrorBody(
        message[:_LONGEST_CHARS], " ".join(codes).lower(), parameters, body, is_html=False
    )


def _objects(body: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Stream the objects that may tell the reason, the innermost `error` first; Any: JSON."""
    if depth > _DEEPEST:
        return
    if isinstance(body, list):
        for item in body[:3]:  # Gemini puts its error into a list; others list several
            yield from _objects(item, depth + 1)
    elif isinstance(body, dict):
        for key in ("error", "errors", "innererror", "inner_error", "detail"):
            if isinstance(body.get(key), dict | list):
                yield from _objects(body[key], depth + 1)
        yield body


def _message(error: dict[str, Any]) -> str:
    """Find the text for people in one object."""
    for key in _MESSAGES:
        value = error.get(key)
        if isinstance(value, str) and value.strip():
            return " ".join(value[:_LONGEST_CHARS].split())
    return ""


def _parameters(error: dict[str, Any]) -> Iterator[str]:
    """Name the keys that one object is about: OpenAI's `param`, the `loc` of FastAPI."""
    for value in (error.get("param"), error.get("parameter"), error.get("field")):
        if isinstance(value, str) and value:
            yield value
    place = error.get("loc")
    if isinstance(place, list) and place and isinstance(place[-1], str):
        yield place[-1]


def _of_upstream(found: list[dict[str, Any]]) -> ErrorBody | None:
    """Read what a gateway hands on of the server behind it: OpenRouter's `metadata.raw`."""
    for one in found:
        metadata = one.get("metadata")
        raw = metadata.get("raw") if isinstance(metadata, dict) else None
        if isinstance(raw, str) and raw.strip():
            inner = raw.encode("utf-8", "replace")
            return None if b'"raw"' in inner else read_error(inner)
    return None


def _written(body: Any) -> str:
    try:
        return json.dumps(body, ensure_ascii=False)[:_LONGEST_CHARS]
    except (ValueError, RecursionError):
        return ""
