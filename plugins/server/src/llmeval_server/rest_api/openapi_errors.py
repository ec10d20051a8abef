"""The error responses of operations in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from llmeval_server.error_responses import ErrorReply

_MEANINGS = {
    400: "The request cannot be read.",
    401: "The token is missing or wrong.",
    403: "A file, address or variable that a job may not name; or a request from elsewhere.",
    404: "There is no such thing.",
    409: "It does not go together with what is there already.",
    413: "The request is too large.",
    415: "The body is of a type that is not understood.",
    422: "What was sent is wrong; `where` says at which place.",
    429: "Too many requests; `Retry-After` says when to come again.",
    503: "The jobs or the journal cannot be reached now, or too much is under way.",
    504: "It took too long, and was stopped.",
}
_ALWAYS = (401, 403, 429, 503)


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe an operation's errors, and those of every operation; Any: OpenAPI."""
    return {
        status: {"model": ErrorReply, "description": _MEANINGS[status]}
        for status in sorted({*statuses, *_ALWAYS})
    }
