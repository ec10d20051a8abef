"""A Generation from what the parts of an answer say, the same for every wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmeval_core.hooks import Generation, ModelError, StopReason
from llmeval_models.answers.choice_content import ChoiceContent
from llmeval_models.answers.token_usage import TokenUsage
from llmeval_models.answers.whole_text import whole_text

_LONGEST_WORD = 200
_MOST_NAMED = 8


def make_generation(
    choices: Sequence[ChoiceContent],
    *,
    finish_reason: Any,
    usage: TokenUsage,
    served_by: Any,
    latency_s: float,
    retry_after_s: float | None,
) -> Generation:
    """Put an answer together; what is odd beside its texts is unknown.

    Args:
        choices: what each answer says, one at least.
        finish_reason: the server's word for why the first ended; Any: JSON.
        usage: tokens of all answers.
        served_by: the model's name as the server gives it; Any: JSON.
        latency_s, retry_after_s: see `Generation`.
    """
    texts: tuple[str, ...]
    stops: tuple[StopReason, ...]
    thoughts: tuple[str | None, ...]
    if len(choices) == 1:  # nearly always, and so without a loop
        one = choices[0]
        texts, stops, refusal = (one.text,), (one.stop,), one.refusal
        thoughts = (one.reasoning,) if one.reasoning else ()
    else:
        texts = tuple([choice.text for choice in choices])
        stops = tuple([choice.stop for choice in choices])
        thoughts = tuple([choice.reasoning for choice in choices])
        refusal = next((choice.refusal for choice in choices if choice.refusal), None)
    return Generation(
        texts=texts,
        finish_reason=word(finish_reason),
        n_prompt_tokens=usage.n_prompt,
        n_completion_tokens=usage.n_completion,
        latency_s=latency_s,
        served_by=word(served_by),
        retry_after_s=retry_after_s,
        stop_reasons=stops,
        reasonings=thoughts if any(thoughts) else (),
        n_reasoning_tokens=usage.n_reasoning,
        refusal=refusal,
        tool_calls=choices[0].calls,
    )


def only_one(n: int) -> None:
    """Refuse more than one answer, for an API that gives one to each request.

    Raises:
        ModelError: `bad_request`, more are asked for.
    """
    if n != 1:
        raise ModelError(
            "bad_request",
            f"asked for {n} answers, and this API gives one to each request",
            hint="leave `n` at 1",
        )


def in_order(choices: list[Any]) -> list[Any]:
    """Sort choices by their `index`; as they came, unless each has one of its own. Any: JSON."""
    places = [choice.get("index") if isinstance(choice, dict) else None for choice in choices]
    numbers = [place for place in places if type(place) is int]
    if len(numbers) != len(choices) or len(set(numbers)) != len(numbers):
        return choices
    paired = sorted(zip(numbers, choices, strict=True), key=lambda pair: pair[0])
    return [choice for _, choice in paired]


def word(value: Any) -> str | None:
    """Take a short text; None for anything else. Any: JSON."""
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        return None
    return whole_text(value)


def named_keys(answer: Any) -> str:
    """Name the keys of what is no answer, so that one sees what it is; Any: JSON."""
    if not isinstance(answer, dict):
        return type(answer).__name__
    names = [name[:40] for name in list(answer)[:_MOST_NAMED]]
    if len(answer) > _MOST_NAMED:
        names.append("...")
    return whole_text(", ".join(names)) or "an empty object"
