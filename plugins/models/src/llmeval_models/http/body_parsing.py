"""From the bytes of a body to JSON: a document, or a stream of events."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from llmeval_core.hooks import FailureKind
from llmeval_models.http.event_stream import (
    IncompleteStreamError,
    InvalidStreamError,
    StreamedAnswer,
    assemble,
    looks_like_stream,
)

Streamed = Callable[[], StreamedAnswer]
"""Makes what collects the events of one answer."""


class BodyError(Exception):
    """What came is no JSON, or only a part of it.

    Args:
        kind: of the failure that it is.
        reason: what is wrong, for people.
    """

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind: FailureKind = kind
        self.reason = reason


def read_body(content: bytes, content_type: str | None, streamed: Streamed) -> Any:
    """Read the body of an answer; Any: JSON of any shape.

    A stream of server-sent events is put together to what the server would have said at once.

    Args:
        content: the whole body, decompressed.
        content_type: the header; believed only if the body looks so too.
        streamed: collects the events of a stream.

    Raises:
        BodyError: `malformed`, it is no JSON, or too deep; `connection`, a stream broke off.
    """
    is_stream = content_type is not None and "event-stream" in content_type.lower()
    if is_stream and looks_like_stream(content):
        return _read_stream(content, streamed())
    try:
        return json.loads(content)
    except RecursionError as err:
        raise BodyError("malformed", "the answer is nested too deeply") from err
    except ValueError as err:
        if looks_like_stream(content):
            return _read_stream(content, streamed())
        return _read_again(content, err)


def read_json(content: bytes | str) -> Any:
    """Read JSON; an integer too long for Python is unknown. Any: JSON.

    Raises:
        ValueError: it is no JSON, or too deep.
    """
    try:
        return json.loads(content)
    except RecursionError as err:
        raise ValueError("nested too deeply") from err
    except ValueError:
        try:
            return json.loads(content, parse_int=_short_int)
        except RecursionError as err:
            raise ValueError("nested too deeply") from err


def _read_stream(content: bytes, answer: StreamedAnswer) -> Any:
    try:
        return assemble(content, read_json, answer)
    except IncompleteStreamError as err:
        raise BodyError("connection", f"the stream broke off: {err}") from err
    except InvalidStreamError as err:
        raise BodyError("malformed", f"the stream is not usable: {err}") from err


def _read_again(content: bytes, first: ValueError) -> Any:
    """Read what holds an integer of more digits than Python takes (4,300), or give up."""
    try:
        return read_json(content)
    except ValueError:
        if isinstance(first, UnicodeDecodeError):
            raise BodyError("malformed", "the answer is not UTF-8") from first
        raise BodyError("malformed", "the answer is not JSON") from first


def _short_int(digits: str) -> int | None:
    return int(digits) if len(digits) < 400 else None
