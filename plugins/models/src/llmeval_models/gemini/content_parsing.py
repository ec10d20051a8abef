"""Reading an answer of generateContent."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Generation, ModelError
from llmeval_models.answers.call_state import with_state
from llmeval_models.answers.choice_content import ChoiceContent, read_choice
from llmeval_models.answers.generation_making import in_order, make_generation, named_keys
from llmeval_models.answers.token_usage import TokenUsage, count

_CALLS = ("functionCall", "function_call")


def read_content(
    answer: Any, *, n: int, latency_s: float, retry_after_s: float | None
) -> Generation:
    """Read an answer; Any: whatever JSON came.

    A prompt that was blocked has no candidates, and is told before as an error inside a 200.

    Args:
        answer: the body.
        n: how many candidates were asked for; the first so many are taken, by their `index`.
        latency_s, retry_after_s: see `Generation`.

    Raises:
        ModelError: `malformed`, it has no candidates, or one that is none; `bad_request`, fewer
            than were asked for.
    """
    candidates = answer.get("candidates") if isinstance(answer, dict) else None
    if not isinstance(candidates, list) or not candidates:
        raise ModelError("malformed", f"the answer has no candidates, only: {named_keys(answer)}")
    if len(candidates) < n:
        raise ModelError(
            "bad_request",
            f"asked for {n} answers, got {len(candidates)}",
            hint="this model does not know `n`; leave it at 1",
        )
    if len(candidates) > 1:
        candidates = in_order(candidates)[:n]
    return make_generation(
        [_choice(candidate) for candidate in candidates],
        finish_reason=candidates[0].get("finishReason"),
        usage=_usage(answer.get("usageMetadata")),
        served_by=answer.get("modelVersion"),
        latency_s=latency_s,
        retry_after_s=retry_after_s,
    )


def _choice(candidate: Any) -> ChoiceContent:
    """Read one candidate; one that ended and has no parts is an empty text. Any: JSON."""
    if not isinstance(candidate, dict):
        raise ModelError("malformed", f"a candidate is of type {type(candidate).__name__}")
    content = candidate.get("content")
    word = candidate.get("finishReason")
    if word == "MALFORMED_RESPONSE":
        raise ModelError("malformed", "the model's answer was malformed, by the server's word")
    if content is None and word is not None:
        content = {}
    if not isinstance(content, dict):
        raise ModelError("malformed", "a candidate has no content")
    parts = content.get("parts")
    if parts is not None and not isinstance(parts, list):
        raise ModelError("malformed", "the parts of a candidate are no list")
    typed = [_typed(part) for part in parts or ()]
    message = {"content": typed, "tool_calls": _calls(parts or [])}
    return read_choice({"message": message, "finish_reason": word})


def _calls(parts: list[Any]) -> list[Any]:
    """Write the calls as chat completions do, each with the signature that it came with."""
    calls: list[Any] = []
    for part in parts:
        if not isinstance(part, dict):
            continue
        made = next((part[key] for key in _CALLS if part.get(key)), None)
        if not isinstance(made, dict):
            continue
        identity, signature = made.get("id"), part.get("thoughtSignature")
        if not isinstance(identity, str) or not identity:
            identity = f"call_{len(calls)}"
        if isinstance(signature, str):
            identity = with_state(identity, signature)
        function = {"name": made.get("name"), "arguments": made.get("args")}
        calls.append({"id": identity, "function": function})
    return calls


def _typed(part: Any) -> Any:
    """Say of a part what it is, as other APIs do; Any: JSON."""
    if not isinstance(part, dict):
        return part
    if any(part.get(key) for key in _CALLS):
        return {"type": "function_call"}
    if part.get("thought") is True:
        return {"type": "thinking", "thinking": part.get("text")}
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    return {"type": "other"}  # an image, code that was run: nothing to judge


def _usage(usage: Any) -> TokenUsage:
    """Read token counts; Any: JSON of any shape.

    The API leaves out what is 0, so that an answer of thoughts alone has no count of its own.
    """
    if not isinstance(usage, dict):
        return TokenUsage(None, None, None)
    n_prompt, total = count(usage.get("promptTokenCount")), count(usage.get("totalTokenCount"))
    tools = count(usage.get("toolUsePromptTokenCount", 0))
    n_prompt = n_prompt + tools if n_prompt is not None and tools is not None else None
    thoughts = count(usage.get("thoughtsTokenCount", 0))
    written = count(usage.get("candidatesTokenCount"))
    if n_prompt is None or thoughts is None:
        return TokenUsage(n_prompt, written if thoughts == 0 else None, thoughts or None)
    if written is None and "candidatesTokenCount" not in usage and total == n_prompt + thoughts:
        written = 0
    if written is None:
        return TokenUsage(n_prompt, None, thoughts or None)
    # The candidates' count has the thoughts in it only where the total says so.
    is_inside = total == n_prompt + written and thoughts <= written
    has_thoughts = "thoughtsTokenCount" in usage
    return TokenUsage(
        n_prompt, written if is_inside else written + thoughts, thoughts if has_thoughts else None
    )
