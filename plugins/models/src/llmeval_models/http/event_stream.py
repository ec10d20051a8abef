"""Server-sent events (WHATWG HTML, 9.2), put together to one answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol

_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:data|event|id|retry)?:")
_DONE = b"[DONE]"

Read = Callable[[bytes], Any]
"""Reads JSON; raises ValueError. Any: JSON."""


class StreamedAnswer(Protocol):
    """Collects the events of one answer; each wire has its own."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be expected: the server said so, or told an error."""

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the answer."""

    @property
    def state(self) -> str:
        """How far it came, for people."""

    def add(self, event: dict[str, Any]) -> None:
        """Add one event; Any: JSON."""

    def end(self) -> None:
        """Note that the server said `[DONE]`."""

    def fail(self, error: Any) -> None:
        """Take an error that came as an event; Any: JSON, or a text."""

    def joined(self) -> dict[str, Any]:
        """Give the answer as if it had come at once; Any: JSON."""


class InvalidStreamError(Exception):
    """An event is no JSON object."""


class IncompleteStreamError(Exception):
    """The stream ended before the answer did."""


def looks_like_stream(content: bytes) -> bool:
    """Whether a body begins as events do; JSON never does."""
    return _BEGINS.match(content) is not None


def assemble(content: bytes, read: Read, answer: StreamedAnswer) -> dict[str, Any]:
    """Put a whole stream together to the answer that the server would have given at once.

    An error that comes as an event ends the stream: it is the answer then.

    Args:
        content: the stream.
        read: reads the JSON of an event.
        answer: collects the events.

    Returns:
        Any: JSON.

    Raises:
        InvalidStreamError: an event is no JSON object.
        IncompleteStreamError: the answer is not whole.
    """
    odd: bytes | None = None
    for name, data in _events(content):
        if odd is not None:
            raise InvalidStreamError(f"an event is not a JSON object: {_shown(odd)}")
        if name == b"error":
            answer.fail(_json_or_text(data, read))
            break
        odd = _take(answer, data, read)
        if answer.is_over:
            break
    if not answer.is_whole:
        # What is cut off in the middle of an event is an event that is no JSON, and the last.
        raise IncompleteStreamError(answer.state)
    return answer.joined()


def _take(answer: StreamedAnswer, data: bytes, read: Read) -> bytes | None:
    """Add one event to the answer; return its data if it is none.

    Some servers put no empty line between events: each line of the data is then one.
    """
    texts = [data]
    if b"\n" in data:
        try:
            read(data)
        except ValueError:
            texts = data.split(b"\n")
    for text in texts:
        if text.strip() == _DONE:
            answer.end()
            return None
        try:
            chunk = read(text)
        except ValueError:
            return text
        if not isinstance(chunk, dict):
            return text
        answer.add(chunk)
        if answer.is_over:
            return None
    return None


def _json_or_text(data: bytes, read: Read) -> Any:
    try:
        return read(data)
    except ValueError:
        return data.decode("utf-8", "replace")


def _events(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Stream name and data of each event that has data; the last may lack its empty line."""
    name, data = b"", list[bytes]()
    for found in _LINE.finditer(content.removeprefix(b"\xef\xbb\xbf")):
        line = found[1]
        if not line:
            if data:
                yield name, b"\n".join(data)
            name, data = b"", []
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data" and value:
            data.append(value)
        elif field == b"event":
            name = value
    if data:
        yield name, b"\n".join(data)


def _shown(data: bytes) -> str:
    return repr(data[:60].decode("utf-8", "replace"))
