"""Token counts as servers tell them; what cannot be a count is unknown."""

from __future__ import annotations

from typing import Any, NamedTuple

_MOST = 10**9
"""No answer has more."""
_DETAILS = ("completion_tokens_details", "output_tokens_details")
_TELLS_REASONING = frozenset({*_DETAILS, "reasoning_tokens"})


class TokenUsage(NamedTuple):
    """Tokens of one answer; each None if unknown.

    Args:
        n_prompt: tokens read.
        n_completion: tokens written, those of the reasoning too.
        n_reasoning: tokens of the reasoning.
    """

    n_prompt: int | None
    n_completion: int | None
    n_reasoning: int | None


_UNKNOWN = TokenUsage(None, None, None)


def read_usage(usage: Any) -> TokenUsage:
    """Read `usage` of OpenAI and its like; Any: JSON of any shape."""
    if not isinstance(usage, dict):
        return _UNKNOWN
    n_prompt = count(usage.get("prompt_tokens", usage.get("input_tokens")))
    n_completion = count(usage.get("completion_tokens", usage.get("output_tokens")))
    if _TELLS_REASONING.isdisjoint(usage):
        return TokenUsage(n_prompt, n_completion, None)
    n_reasoning = count(usage.get("reasoning_tokens"))
    for key in _DETAILS:
        details = usage.get(key)
        if n_reasoning is None and isinstance(details, dict):
            n_reasoning = count(details.get("reasoning_tokens"))
    if n_reasoning and n_completion is not None and n_prompt is not None:
        # xAI counts reasoning apart: only the total says so.
        total = count(usage.get("total_tokens"))
        if total == n_prompt + n_completion + n_reasoning:
            n_completion += n_reasoning
    if n_reasoning is not None and n_completion is not None and n_reasoning > n_completion:
        n_reasoning = None  # a part is not more than the whole
    return TokenUsage(n_prompt, n_completion, n_reasoning)


def count(value: Any) -> int | None:
    """Read a number of tokens; None for what is none: below 0, half, absurd, a text, NaN."""
    if type(value) is int:
        return value if 0 <= value <= _MOST else None
    if not isinstance(value, float) or not 0 <= value <= _MOST:
        return None
    return int(value) if value.is_integer() else None  # some write each number as 5.0
