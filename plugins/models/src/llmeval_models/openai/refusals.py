"""Which kind of failure an HTTP status and its body mean."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable
from typing import Any

from llmeval_core.hooks import FailureKind, ModelError
from llmeval_models.openai.bodies import read_json
from llmeval_models.openai.wires.wire import Header

_TOO_LONG = (
    "context_length_exceeded",  # OpenAI
    "maximum context length",  # OpenAI, vLLM
    "exceed_context_size",  # llama.cpp
    "prompt is too long",  # Anthropic
    "context window",
    "exceeds the maximum number of tokens",  # Gemini
)
_KINDS: dict[int, FailureKind] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "context_too_long",
    429: "rate_limit",
}
_HINTS: dict[FailureKind, str] = {
    "auth": "is api_key set, valid, and for this server?",
    "not_found": "check the model's name and base_url",
    "rate_limit": "lower the concurrency",
    "overloaded": "lower the concurrency, or try again later",
    "context_too_long": "shorten the prompt, lower max_tokens, or serve a longer context",
}
_NO_MONEY_HINT = "the account has no credit left, or its budget is used up"
_LONGEST_CHARS = 300
_DURATION_PART = re.compile(r"([0-9.]+)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WAITING: tuple[FailureKind, ...] = ("rate_limit", "overloaded")


def refusal(
    status: int,
    content: bytes,
    header: Header,
    *,
    clean: Callable[[str], str],
    where: str,
) -> ModelError:
    """Make the error for an answer that is not 200.

    Args:
        status: the HTTP status.
        content: the body; OpenAI's error JSON, or anything.
        header: reads for how long to wait, and where to go.
        clean: takes secrets out of a text.
        where: the server, for people.
    """
    message, code = _message(content)
    lowered = f"{code} {message}".lower()
    kind = _kind(status, lowered)
    hint = _HINTS.get(kind)
    if 300 <= status < 400:
        message = f"the server redirects to {header('Location') or 'nowhere'}"
        hint = "set base_url to the address that it redirects to"
    elif status == 402 or "insufficient_quota" in lowered:
        hint = _NO_MONEY_HINT
    return ModelError(
        kind,
        f"HTTP {status}: {clean(message)[:_LONGEST_CHARS] or 'no reason given'}",
        where=where,
        hint=hint,
        retry_after_s=retry_after_s(header) if kind in _WAITING else None,
    )


def retry_after_s(header: Header) -> float | None:
    """Read how long the server asks us to wait, seconds; None if it does not say.

    `Retry-After-Ms`, `Retry-After` (seconds or an HTTP date), then OpenAI's
    `x-ratelimit-reset-*` (`1s`, `6m0s`, `120ms`), of which the longest counts.
    """
    for name, unit_s in (("Retry-After-Ms", 0.001), ("Retry-After", 1.0)):
        text = header(name)
        if text:
            found = _seconds(text, unit_s)
            if found is not None:
                return found
    resets = [_duration_s(header(f"x-ratelimit-reset-{what}")) for what in ("requests", "tokens")]
    return max((reset for reset in resets if reset is not None), default=None)


def used_up_for_s(header: Header) -> float | None:
    """Read how long a quota is used up, seconds; None while something is left of each.

    OpenAI's `x-ratelimit-remaining-requests` and `-tokens`, with `x-ratelimit-reset-*`.
    """
    waits = [
        _duration_s(header(f"x-ratelimit-reset-{what}"))
        for what in ("requests", "tokens")
        if header(f"x-ratelimit-remaining-{what}") == "0"
    ]
    return max((wait for wait in waits if wait), default=None)


def _seconds(text: str, unit_s: float) -> float | None:
    """Read a number or an HTTP date; the past is 0, nonsense None."""
    try:
        return min(max(0.0, float(text) * unit_s), 86400.0)
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _duration_s(text: str | None) -> float | None:
    parts = _DURATION_PART.findall(text or "")
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    try:
        return sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    except ValueError:
        return None


def _kind(status: int, lowered: str) -> FailureKind:
    if 300 <= status < 400:
        return "not_found"
    if status == 429:
        return "auth" if "insufficient_quota" in lowered else "rate_limit"
    if status in _KINDS:
        return _KINDS[status]
    if any(mark in lowered for mark in _TOO_LONG):
        return "context_too_long"
    return "overloaded" if status >= 500 else "bad_request"


def _message(content: bytes) -> tuple[str, str]:
    """Find message and code in the error JSON of OpenAI, vLLM, Ollama and llama.cpp."""
    text = content.decode("utf-8", "replace").strip()
    try:
        body: Any = read_json(text)  # Any: whatever the server sent
    except ValueError:
        return " ".join(text.split()), ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error), ""
    message = error.get("message") or error.get("detail") or json.dumps(error)
    return str(message), f"{error.get('code', '')} {error.get('type', '')}"
