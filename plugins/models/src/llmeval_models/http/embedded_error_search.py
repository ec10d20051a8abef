"""Errors inside an answer whose HTTP status says that all is well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmeval_models.http.embedded_error import EmbeddedError, read_error, stated_status

_MARKS = frozenset(
    {
        "error", "errors", "error_code", "errorCode", "error_msg", "error_message", "errorMessage",
        "code", "status", "status_code", "statusCode", "success", "ok", "detail", "message", "msg",
        "Message", "fault", "base_resp", "__type", "promptFeedback", "prompt_feedback",
        "prompt_filter_results",
    }
)  # fmt: skip
"""Keys of which a whole answer of chat or completions has none."""
_BAD = frozenset({"error", "errored", "fail", "failed", "failure", "exception"})
_NO_ERROR = frozenset({"", "none", "null", "no", "no error", "false", "0", "ok", "success"})
_FAILED_FINISHES = frozenset(
    {
        "error", "errored", "abort", "aborted", "cancel", "cancelled", "canceled", "fail",
        "failed", "failure", "timeout", "timed_out", "time_limit", "server_error",
        "internal_error", "internal_server_error", "network_error", "engine_error",
        "overloaded", "insufficient_system_resource", "interrupted", "exception", "unavailable",
    }
)  # fmt: skip
"""Words for the end of a choice that never ended as an answer (OpenRouter, vLLM, SGLang, DeepSeek,
Zhipu and gateways)."""
_DEEPEST = 6


def embedded_error_in(answer: Any) -> EmbeddedError | None:
    """Find the error in an answer, in its body or in one of its choices; None if there is none.

    `error: null` beside choices is no error, nor are a code or a message that belong to something
    else than an error. Any: JSON of any shape.
    """
    if isinstance(answer, list):  # Gemini: a list of one
        answer = answer[0] if answer and isinstance(answer[0], dict) else {}
        return embedded_error_in(answer) if "error" in answer else None
    if not isinstance(answer, dict):
        return None
    if answer.get("object") == "error" or answer.get("type") == "error":
        return read_error(answer.get("error") or answer, around=answer)
    if not _MARKS.isdisjoint(answer) and (found := _in_body(answer)) is not None:
        return found
    choices = answer.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, dict) and (found := _in_choice(choice)) is not None:
                return found
    return None


def as_error_answer(error: Any, **around: str) -> dict[str, Any]:
    """Write an error that came as an event of a stream as an answer that has it.

    Args:
        error: what the event had; Any: JSON, or a text.
        around: what stands beside it, unless the event's JSON is such an answer already.
    """
    if isinstance(error, dict) and embedded_error_in(error) is not None:
        return error
    return {**around, "error": error or "no reason given"}


def _in_body(answer: dict[str, Any]) -> EmbeddedError | None:
    for key in ("error", "errors", "fault"):
        if _says_error(answer.get(key)):
            return read_error(answer[key], around=answer)
    status = answer.get("status")
    if (
        answer.get("success") is False
        or answer.get("ok") is False
        or (isinstance(status, str) and status.lower() in _BAD)
        or stated_status(answer) is not None
    ):
        return read_error(answer, around=answer)
    base = answer.get("base_resp")  # MiniMax
    if isinstance(base, dict) and base.get("status_code") not in (0, None):
        return read_error(base, around=answer)
    if answer.get("choices"):
        return None
    return _blocked(answer) or _bare(answer)


def _in_choice(choice: dict[str, Any]) -> EmbeddedError | None:
    for place in (choice, choice.get("message"), choice.get("delta")):
        if isinstance(place, dict) and "error" in place and _says_error(place["error"]):
            return read_error(place["error"], around=place)
    word = choice.get("finish_reason")
    if word == "stop":
        return None
    if isinstance(word, str) and word.strip().lower().replace("-", "_") in _FAILED_FINISHES:
        return EmbeddedError(502, word[:100], f"the answer ended with '{word[:100]}'")
    return None


def _blocked(answer: dict[str, Any]) -> EmbeddedError | None:
    """Find that a prompt was held back by a filter, as Gemini and Azure tell it."""
    feedback = answer.get("promptFeedback", answer.get("prompt_feedback"))
    reason = None
    if isinstance(feedback, dict):
        reason = feedback.get("blockReason", feedback.get("block_reason"))
    results = answer.get("prompt_filter_results")
    if isinstance(reason, str):
        said = f"the prompt was blocked: {reason[:100]}"
    elif results and _is_filtered(results, _DEEPEST):
        said = "a content filter held the prompt back"
    else:
        return None
    return EmbeddedError(400, "content_filter", said)


def _is_filtered(value: Any, depth: int) -> bool:
    if depth == 0:
        return False
    if isinstance(value, dict):
        return value.get("filtered") is True or any(
            _is_filtered(item, depth - 1) for item in value.values()
        )
    return isinstance(value, list) and any(_is_filtered(item, depth - 1) for item in value)


def _bare(answer: dict[str, Any]) -> EmbeddedError | None:
    """Find an error that is nothing but a message, where an answer should be."""
    code = answer.get("code", answer.get("status"))
    if (type(code) is int and code < 400) or (isinstance(code, str) and _is_nothing(code)):
        return None  # `code: 200, message: success` tells of no error
    for key in (
        "message",
        "msg",
        "Message",
        "detail",
        "error_msg",
        "error_message",
        "errorMessage",
    ):
        value = answer.get(key)
        if (isinstance(value, str) and not _is_nothing(value)) or (
            key == "detail" and isinstance(value, (list, dict)) and value
        ):
            found = read_error(answer, around=answer)
            # FastAPI lists what is wrong with a request.
            return replace(found, status=400) if isinstance(value, list) else found
    return None


def _says_error(value: Any) -> bool:
    """Whether the value of `error` is one: not null, nothing, or an object of nothings."""
    if isinstance(value, str):
        return not _is_nothing(value)
    if isinstance(value, dict):
        return any(_says_error(item) for item in value.values() if not isinstance(item, dict)) or (
            any(isinstance(item, dict) and bool(item) for item in value.values())
        )
    if isinstance(value, list):
        return bool(value)
    return bool(value)


def _is_nothing(text: str) -> bool:
    return text.strip().lower() in _NO_ERROR
