"""Messages in the journal: after those of an earlier request, images by their digest.

A long conversation would fill the journal with the square of its turns if every request held all
messages. A request that continues an earlier one, its *parent*, holds only what comes after the
parent's messages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from llmeval_core.naming import Json
from llmeval_core.records import Message, Request, ToolCall, ToolSpec
from llmeval_core.records.messages import digests_in, message_from_json

_MOST_PARENTS = 100_000
"""No conversation is longer: more is a circle in a broken journal."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def message_cell(messages: Sequence[Message]) -> str | None:
    """Write messages; None if there are none."""
    return _encode([message.as_json() for message in messages]) if messages else None


def extras_cell(request: Request) -> str | None:
    """Write what else a request may have; None if it has nothing of it."""
    if not request.tools and request.tool_choice is None and request.response_format is None:
        return None
    extras: dict[str, Json] = {}
    if request.tools:
        extras["tools"] = [tool.as_json() for tool in request.tools]
    if request.tool_choice is not None:
        extras["tool_choice"] = request.tool_choice
    if request.response_format is not None:
        extras["response_format"] = dict(request.response_format)
    return _encode(extras)


def to_extras(cell: str | None) -> dict[str, Any]:
    """Read `extras_cell`, as arguments of a Request; Any: each has its own type."""
    if not cell:
        return {}
    extras: dict[str, Any] = json.loads(cell)
    if "tools" in extras:
        extras["tools"] = tuple([ToolSpec(*tool) for tool in extras["tools"]])
    return extras


def call_cell(calls: Iterable[ToolCall]) -> str | None:
    """Write calls of tools; None if there are none."""
    return _encode([[call.id, call.name, call.arguments] for call in calls]) if calls else None


def to_calls(cell: str | None) -> tuple[ToolCall, ...]:
    """Read `call_cell`."""
    return tuple([ToolCall(*call) for call in json.loads(cell)]) if cell else ()


def image_rows(messages: Iterable[Message]) -> list[tuple[Any, ...]]:
    """Make the rows of `attachments`: digest and bytes of each image; Any: columns."""
    return [
        (bytes.fromhex(image.digest), image.data)
        for message in messages
        if type(message.content) is not str
        for image in message.images
        if image.url is None
    ]


def insert_images(connection: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Keep images, each once, in the caller's transaction; Any: see `image_rows`."""
    connection.executemany("INSERT OR IGNORE INTO attachments VALUES (?, ?)", rows)


class MessageReader:
    """Reads messages over one connection; one thread at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def messages(self, cell: str | None, parent: bytes | None = None) -> tuple[Message, ...]:
        """Read messages, those of the parents first; an image that is gone is empty."""
        written: list[list[Json]] = json.loads(cell) if cell else []
        if parent is not None:
            written = [*self._of_parents(parent), *written]
        if not written:
            return ()
        digests = digests_in(written)
        images = self._images(digests) if digests else {}
        return tuple([message_from_json(message, images) for message in written])

    def _of_parents(self, parent: bytes | None) -> list[list[Json]]:
        parts: list[list[list[Json]]] = []
        while parent is not None and len(parts) < _MOST_PARENTS:
            row = self._connection.execute(
                "SELECT messages, parent FROM generations WHERE fingerprint = ?", (parent,)
            ).fetchone()
            if row is None:
                break
            cell, parent = row
            parts.append(json.loads(cell) if cell else [])
        return [message for part in reversed(parts) for message in part]

    def _images(self, digests: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for digest in digests:
            row = self._connection.execute(
                "SELECT data FROM attachments WHERE digest = ?", (bytes.fromhex(digest),)
            ).fetchone()
            if row is not None:
                found[digest] = row[0]
        return found
