"""How long a server asks us to wait: in headers, and in the body of an error response."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from llmeval_models.http.error_body import ErrorBody
from llmeval_models.http.transports.transport import Header

_LONGEST_S = 7 * 86400.0
_DEEPEST = 8
_DATE_FROM = 1e9
"""Numbers from here on are moments since 1970: in seconds, and in milliseconds from 1e12."""

_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION_PART = re.compile(r"([0-9.]{1,20})(ms|s|m|h|d)")
_SPOKEN_UNITS = (
    (r"ms|msecs?|millis|milliseconds?", 0.001),
    (r"s|secs?|seconds?", 1.0),
    (r"m|mins?|minutes?", 60.0),
    (r"h|hrs?|hours?", 3600.0),
    (r"d|days?", 86400.0),
)
_AMOUNT = r"(\d{1,9}(?:\.\d{1,9})?)"
_UNIT = "|".join(f"(?:{unit})" for unit, _ in _SPOKEN_UNITS)
_SPOKEN_PART = re.compile(rf"{_AMOUNT}\s*({_UNIT})(?![a-z])", re.IGNORECASE)
_SPOKEN = rf"(?:{_AMOUNT[1:-1]}\s*(?:{_UNIT})(?![a-z])[\s,]*(?:and\s+)?)+"
_ASKS = r"(?:try(?:ing)?\s+again|retry(?:ing|able)?|wait(?:ing)?|resets?|available|come\s+back)"
_ASKED = re.compile(rf"\b{_ASKS}\b[^.\d]{{0,60}}({_SPOKEN})", re.IGNORECASE)
_ASKED_BARE = re.compile(
    rf"\b{_ASKS}\b[^.\d]{{0,40}}?\b(?:in|after|for)[:\s]+{_AMOUNT}(?![\w%])", re.IGNORECASE
)
_A_MINUTE = re.compile(rf"\b{_ASKS}\b[^.\d]{{0,40}}\b(?:a|one)\s+minute\b", re.IGNORECASE)
_ASKED_JA = re.compile(rf"{_AMOUNT}\s*(ミリ秒|秒|分|時間)(?:以上|ほど|間)?(?:後|経|お?待|して)")
_ASKED_ZH = re.compile(rf"{_AMOUNT}\s*(毫秒|秒|分|小时)钟?(?:之?后|以后)")
_UNIT_S_BY_SIGN = {
    "ミリ秒": 0.001, "毫秒": 0.001, "秒": 1.0, "分": 60.0, "時間": 3600.0, "小时": 3600.0
}  # fmt: skip

_OPENAI = ("requests", "tokens")
_ANTHROPIC = ("requests", "tokens", "input-tokens", "output-tokens")
_RESETS = (
    *[(f"x-ratelimit-reset-{what}", f"x-ratelimit-remaining-{what}") for what in _OPENAI],
    *[
        (f"anthropic-ratelimit-{what}-reset", f"anthropic-ratelimit-{what}-remaining")
        for what in _ANTHROPIC
    ],
    ("x-ratelimit-reset", "x-ratelimit-remaining"),
    ("ratelimit-reset", "ratelimit-remaining"),
)


def requested_delay_s(header: Header, body: ErrorBody) -> float | None:
    """Read how long a refusing server asks us to wait, seconds; None if it does not.

    The longer of `Retry-After` and what the body says.
    """
    asked = [_retry_after_s(header), wait_in_body_s(body)]
    return max((wait for wait in asked if wait is not None), default=None)


def retry_delay_s(header: Header, body: ErrorBody) -> float | None:
    """Read the same; else when a quota begins anew, which many servers tell in every answer."""
    found = requested_delay_s(header, body)
    return found if found is not None else _reset_s(header)


def retry_after_s(header: Header) -> float | None:
    """Read what the headers say alone, seconds; None if they do not.

    `Retry-After-Ms`, `Retry-After` (seconds or an HTTP date), then the resets of quotas, such as
    OpenAI's `x-ratelimit-reset-*` (`1s`, `6m0s`, `120ms`), of which the longest counts.
    """
    found = _retry_after_s(header)
    return found if found is not None else _reset_s(header)


def quota_reset_s(header: Header) -> float | None:
    """Read how long a quota is used up, seconds; None while something is left of each."""
    waits = [
        _moment_s(header(reset)) for reset, remaining in _RESETS if _is_zero(header(remaining))
    ]
    return max((wait for wait in waits if wait), default=None)


def wait_in_body_s(body: ErrorBody) -> float | None:
    """Read what the body says: a field of its JSON, or a sentence.

    Google's `retryDelay`, `retry_after` and `retry_after_ms`, headers that a gateway hands on
    (OpenRouter); `Please try again in 1m30.5s`, `Please retry after 59 seconds`.
    """
    found = [wait for wait in _in_json(body.json, 0) if wait is not None]
    spoken = _in_words(body.message)
    if spoken is not None:
        found.append(spoken)
    return max(found, default=None)


def _retry_after_s(header: Header) -> float | None:
    for name, unit_s in (("Retry-After-Ms", 0.001), ("Retry-After", 1.0)):
        text = header(name)
        if text:
            found = _seconds(text, unit_s, now=_date_s(header("Date")))
            if found is not None:
                return found
    return None


def _reset_s(header: Header) -> float | None:
    """Read when quotas begin anew: those that are used up, if that is told, else all."""
    used_up = quota_reset_s(header)
    if used_up is not None:
        return used_up
    resets = [_moment_s(header(reset)) for reset, _ in _RESETS]
    return max((reset for reset in resets if reset is not None), default=None)


def _seconds(text: str, unit_s: float, *, now: float | None) -> float | None:
    """Read a number or an HTTP date; the past is 0, nonsense None."""
    try:
        return _bounded(float(text) * unit_s)
    except ValueError:
        pass
    date = _date_s(text)
    if date is not None:
        # By the server's own clock, if it tells it: ours may go wrong.
        return _bounded(date - (time.time() if now is None else now))
    return _duration_s(text)


def _date_s(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _moment_s(text: str | None) -> float | None:
    """Read `1s`, `6m0s`, `59`, a moment since 1970 or an ISO date; None for nonsense."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if number >= _DATE_FROM:
            number = (number / 1000 if number >= 1000 * _DATE_FROM else number) - time.time()
        return _bounded(number)
    duration = _duration_s(text)
    if duration is not None:
        return duration
    try:
        return _bounded(datetime.fromisoformat(text).timestamp() - time.time())
    except (ValueError, OverflowError, OSError):
        return None


def _duration_s(text: str | None) -> float | None:
    parts = _DURATION_PART.findall(text or "")
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return _bounded(sum(float(number) * _UNIT_S[unit] for number, unit in parts))
    except ValueError:
        return None


def _bounded(seconds: float) -> float | None:
    """Bring a wait between 0 and a week; None if it is no number."""
    return None if seconds != seconds else min(max(0.0, seconds), _LONGEST_S)  # noqa: PLR0124  NaN


def _is_zero(text: str | None) -> bool:
    return text is not None and text.strip() in ("0", "0.0")


def _in_json(value: Any, depth: int) -> Iterator[float | None]:
    """Stream the waits that JSON tells; Any: of any shape."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for item in value[:20]:
            yield from _in_json(item, depth + 1)
    if not isinstance(value, dict):
        return
    for key, inner in list(value.items())[:50]:
        name = re.sub(r"[^a-z]", "", str(key).lower())
        if isinstance(inner, dict) and name == "retrydelay":
            yield _number_s(inner.get("seconds"), 1.0)
        elif isinstance(inner, dict | list):
            yield from _in_json(inner, depth + 1)
        elif name in ("retryafterms", "retryinms", "retryaftermilliseconds", "retrydelayms"):
            yield _number_s(inner, 0.001)
        elif name in (
            "retryafter", "retryafters", "retryafterseconds", "retryafterinseconds", "retryin",
            "retrydelay", "waitseconds", "retryinseconds",
        ):  # fmt: skip
            yield _number_s(inner, 1.0)
        elif name in ("xratelimitreset", "ratelimitreset"):
            yield _moment_s(str(inner))


def _number_s(value: object, unit_s: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return _bounded(float(value) * unit_s)
    except (ValueError, OverflowError):
        pass
    return _duration_s(str(value).strip()) or _in_words(f"retry in {value}")


def _in_words(message: str) -> float | None:
    """Read the wait in a sentence, seconds."""
    if found := _ASKED.search(message):
        return _spoken_s(found[1])
    if found := _ASKED_BARE.search(message):
        return _bounded(float(found[1]))
    if _A_MINUTE.search(message):
        return 60.0
    if found := _ASKED_JA.search(message) or _ASKED_ZH.search(message):
        return _bounded(float(found[1]) * _UNIT_S_BY_SIGN[found[2]])
    return None


def _spoken_s(text: str) -> float | None:
    total = 0.0
    for amount, unit in _SPOKEN_PART.findall(text):
        total += float(amount) * next(
            unit_s for names, unit_s in _SPOKEN_UNITS if re.fullmatch(names, unit, re.IGNORECASE)
        )
    return _bounded(total)
