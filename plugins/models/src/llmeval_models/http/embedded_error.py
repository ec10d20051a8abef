"""What an error object says: its code, what its words mean, its message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_CODES = ("code", "status", "status_code", "statusCode", "http_status", "http_code", "error_code")
_WORDS = ("type", "error_type", "status", "reason", "code", "__type", "name", "errorcode")
_MESSAGES = (
    "message", "msg", "error_msg", "error_message", "errorMessage", "Message", "detail", "details",
    "description", "error_description", "title", "reason", "faultstring", "status_msg", "error",
)  # fmt: skip
_STATUS_BY_WORD = tuple(
    (re.compile(pattern), status)
    for pattern, status in (
        (
            r"content.?(filter|policy|management)|moderation|flagged|prompt.?block|data_inspection"
            r"|\bbio_policy\b|policy_violation",
            400,
        ),
        (r"context.?(length|window|size)|prompt is too long|input is too long", 400),
        (r"rate.?limit|too.?many.?requests|throttl|resource.?exhausted|quota", 429),
        (r"time.?d?.?out|deadline", 408),
        (r"overload|unavailable|capacity|internal|server.?error|upstream|out of memory", 503),
        (r"unauthenticated|unauthori[sz]ed|authentication|(invalid|incorrect) api.?key", 401),
        (r"api.?key (is )?(not valid|invalid)", 401),
        (r"permission.?denied|forbidden", 403),
        (r"model.{0,200}(not.?found|does not exist)|no such model|^not.?found", 404),
        (
            r"invalid.?(request|argument|param|prompt|image|base64)|bad.?request|unprocessable"
            r"|validation|image_(too|parse|file)|(unsupported|empty)_image",
            400,
        ),
    )
)
"""What a word or a message means where no code says it; the first that fits counts."""
_UNKNOWN = 502
_LONGEST = 1000
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class EmbeddedError:
    """An error that came with status 200.

    Args:
        status: the HTTP status that it would have had; 502 if nothing tells.
        code: the server's own word for it; empty if there is none.
        message: what the server says; empty if it says nothing.
        is_status_given: whether the server itself gave the status as a number.
        details: what else the error says, such as how long to wait; Any: JSON.
    """

    status: int
    code: str
    message: str
    is_status_given: bool = False
    details: Any = None

    def as_json(self) -> bytes:
        """Write it as OpenAI would, for `error_body`."""
        error = {"message": self.message, "code": self.code}
        try:
            return json.dumps({"error": error | {"details": self.details}}).encode()
        except (RecursionError, ValueError):
            return json.dumps({"error": error}).encode()


def read_error(error: Any, *, around: Mapping[str, Any]) -> EmbeddedError:
    """Read an error: its code, or what its words mean; from what is around it if it has none."""
    places = [place for place in (error, around) if isinstance(place, dict)]
    if isinstance(error, list) and error and isinstance(error[0], dict):
        places.insert(0, error[0])
    message = _message(error, _DEEPEST) or _message(around, 2)
    words = [word for place in places for word in _words(place)]
    status = next((code for place in places if (code := stated_status(place)) is not None), None)
    details = next((place["details"] for place in places if "details" in place), None)
    return EmbeddedError(
        status if status is not None else _status([*words, message]),
        " ".join(words)[:100],
        message[:_LONGEST],
        is_status_given=status is not None,
        details=details,
    )


def stated_status(place: Mapping[str, Any]) -> int | None:
    """Read a status of 400 and above, as a number or in digits."""
    for key in _CODES:
        value = place.get(key)
        if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 400 <= value < 600:
            return int(value)
    return None


def _words(place: Mapping[str, Any]) -> Iterator[str]:
    for key in _WORDS:
        value = place.get(key)
        if isinstance(value, str) and value and not value.isdigit():
            yield value[:100]


def _status(words: list[str]) -> int:
    for word in words:
        lowered = word[:_LONGEST].lower()
        for pattern, status in _STATUS_BY_WORD:
            if pattern.search(lowered):
                return status
    return _UNKNOWN


def _message(value: Any, depth: int) -> str:
    """Find what an error says, at most so deep; empty if nowhere."""
    if isinstance(value, str):
        return " ".join(value[:_LONGEST].split())
    if depth == 0:
        return ""
    if isinstance(value, list):
        return next((said for item in value[:10] if (said := _message(item, depth - 1))), "")
    if isinstance(value, dict):
        for key in _MESSAGES:
            said = _message(value.get(key), depth - 1)
            if said:
                return said
    return ""
