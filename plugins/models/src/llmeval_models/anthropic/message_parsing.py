"""Reading an answer of the Messages API."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Generation, ModelError
from llmeval_models.answers.call_state import with_state
from llmeval_models.answers.choice_content import read_choice
from llmeval_models.answers.generation_making import make_generation, named_keys
from llmeval_models.answers.token_usage import TokenUsage, count
from llmeval_models.answers.whole_text import whole_text

_THOUGHTS = ("thinking", "redacted_thinking")
_CACHE_PARTS = ("cache_creation_input_tokens", "cache_read_input_tokens")
"""They have no token in common with `input_tokens`, nor with each other; null is none."""


def read_message(answer: Any, *, latency_s: float, retry_after_s: float | None) -> Generation:
    """Read an answer; Any: whatever JSON came.

    Args:
        answer: the body.
        latency_s, retry_after_s: see `Generation`.

    Raises:
        ModelError: `malformed`, it has no content, or content that is no text.
    """
    content = answer.get("content") if isinstance(answer, dict) else None
    if content is None:
        raise ModelError("malformed", f"the answer has no content, only: {named_keys(answer)}")
    word = answer.get("stop_reason")
    message = {"content": content, "tool_calls": _calls(content)}
    choice = read_choice({"message": message, "finish_reason": word})
    if choice.stop == "refusal":
        choice = choice._replace(refusal=_explanation(answer.get("stop_details")))
    return make_generation(
        [choice],
        finish_reason=word,
        usage=_usage(answer.get("usage")),
        served_by=answer.get("model"),
        latency_s=latency_s,
        retry_after_s=retry_after_s,
    )


def _calls(content: Any) -> list[Any]:
    """Write the calls as chat completions do; the thought before them goes with the first."""
    listed = content if isinstance(content, list) else []
    blocks = [block for block in listed if isinstance(block, dict)]
    thoughts = [block for block in blocks if block.get("type") in _THOUGHTS]
    calls: list[Any] = []
    for block in blocks:
        if block.get("type") == "tool_use":
            told = block.get("partial_json") or block.get("input")
            identity = block.get("id")
            if isinstance(identity, str):
                identity = with_state(identity, None if calls else thoughts)
            function = {"name": block.get("name"), "arguments": told}
            calls.append({"id": identity, "function": function})
    return calls


def _explanation(details: Any) -> str | None:
    """Read why the model declined; None if it does not say. Any: JSON."""
    said = details.get("explanation") if isinstance(details, dict) else None
    return whole_text(said) if isinstance(said, str) and said else None


def _usage(usage: Any) -> TokenUsage:
    """Read token counts; Any: JSON of any shape.

    Tokens that the cache had, and those that were put into it, are tokens of the prompt.
    """
    if not isinstance(usage, dict):
        return TokenUsage(None, None, None)
    told = [
        usage.get("input_tokens"),
        *[0 if usage.get(key) is None else usage[key] for key in _CACHE_PARTS],
    ]
    known = [part for part in map(count, told) if part is not None]
    is_known = len(known) == len(told)
    n_completion = count(usage.get("output_tokens"))
    details = usage.get("output_tokens_details")
    n_reasoning = count(details.get("thinking_tokens")) if isinstance(details, dict) else None
    if n_reasoning is not None and n_completion is not None and n_reasoning > n_completion:
        n_reasoning = None  # a part is not more than the whole
    return TokenUsage(sum(known) if is_known else None, n_completion, n_reasoning)
