"""Mapping error responses to kinds of failure, with what to try."""

from __future__ import annotations

from collections.abc import Callable

from llmeval_core.hooks import FailureKind, ModelError
from llmeval_models.http.error_body import ErrorBody, read_error
from llmeval_models.http.error_wording import (
    NO_MONEY_HINT,
    PATH_HINT,
    ErrorMeaning,
    meaning_of_wording,
    names_a_model,
    names_a_path,
)
from llmeval_models.http.retry_delays import (
    requested_delay_s,
    retry_delay_s,
)
from llmeval_models.http.transports.transport import Header
from llmeval_models.http.unsupported_parameters import (
    UnsupportedParameterError,
    unsupported_parameters,
)

_KINDS: dict[int, FailureKind] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    405: "not_found",
    407: "auth",
    408: "timeout",
    409: "overloaded",
    410: "not_found",
    413: "context_too_long",
    423: "overloaded",
    424: "overloaded",
    425: "overloaded",
    429: "rate_limit",
    451: "filtered",
    501: "not_found",
}
_HINTS: dict[FailureKind, str] = {
    "auth": "is api_key set, valid, and for this server?",
    "not_found": "check the model's name and base_url",
    "rate_limit": "lower the concurrency",
    "overloaded": "lower the concurrency, or try again later",
    "timeout": "lower the concurrency, or try again later",
    "context_too_long": "shorten the prompt, lower max_tokens, or serve a longer context",
}
_LONGEST_CHARS = 300
_PASSES_IF_ASKED = (400, 403, 404, 406, 418, 420, 422)
"""Statuses that mean a quota where the server asks us to wait."""


def error_from_response(
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
    body = read_error(content)
    message = body.message
    if 300 <= status < 400:
        message = f"the server redirects to {header('Location') or 'nowhere'}"
    what = f"HTTP {status}: {clean(message)[:_LONGEST_CHARS] or 'no reason given'}"
    names = unsupported_parameters(status, body)
    if names:
        return UnsupportedParameterError(what, where=where, names=names)
    asked_s = requested_delay_s(header, body)
    meaning = _meaning(status, body, asked_s=asked_s)
    return ModelError(
        meaning.kind,
        what,
        where=where,
        hint=meaning.hint or _HINTS.get(meaning.kind),
        retry_after_s=_wait_s(meaning.kind, header, body),
        is_doubtful=meaning.is_doubtful,
    )


def _wait_s(kind: FailureKind, header: Header, body: ErrorBody) -> float | None:
    """Tell how long to wait before the next request, seconds; None for what does not pass."""
    if kind == "rate_limit":
        return retry_delay_s(header, body)
    return requested_delay_s(header, body) if kind in ("overloaded", "timeout") else None


def _meaning(status: int, body: ErrorBody, *, asked_s: float | None) -> ErrorMeaning:
    if 300 <= status < 400:
        return ErrorMeaning("not_found", "set base_url to the address that it redirects to")
    by_words = meaning_of_wording(status, body, is_delay_given=asked_s is not None)
    if by_words is None and asked_s and status in _PASSES_IF_ASKED:
        return ErrorMeaning("rate_limit")
    return by_words or _by_status(status, body)


def _by_status(status: int, body: ErrorBody) -> ErrorMeaning:
    if status == 402:
        return ErrorMeaning("auth", NO_MONEY_HINT)
    if status == 403:
        return ErrorMeaning("auth", is_doubtful=True)
    if _KINDS.get(status) == "not_found" and not names_a_model(body):
        hint = PATH_HINT if status == 405 or names_a_path(body) else None
        return ErrorMeaning("not_found", hint, is_doubtful=True)
    # An error that came with 200 counts as 502, whatever it says.
    if status == 502 and not body.is_html and body.message and names_a_path(body):
        return ErrorMeaning("not_found", PATH_HINT, is_doubtful=True)
    return ErrorMeaning(_KINDS.get(status) or ("overloaded" if status >= 500 else "bad_request"))
