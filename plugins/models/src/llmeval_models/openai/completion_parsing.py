"""Reading an answer of chat or completions: nothing in it is believed before it is looked at."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Generation, ModelError, StopReason
from llmeval_models.answers.choice_content import read_choice, whole_text
from llmeval_models.answers.token_usage import read_usage

_LONGEST_WORD = 200
_MOST_NAMED = 8


def read_answer(
    answer: Any, *, n: int, latency_s: float, retry_after_s: float | None = None
) -> Generation:
    """Read an answer; Any: whatever JSON came.

    What is asked for, the texts, must be right; what is told beside them (counts, names, reasons)
    is unknown where it is not what it should be.

    Args:
        answer: the body.
        n: how many answers were asked for; the first so many are taken, by their `index`.
        latency_s, hold_s: see `Generation`.

    Raises:
        ModelError: `malformed`, it has no choices, or one that is none; `bad_request`, fewer
            than were asked for.
    """
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if choices == []:
        raise ModelError("malformed", "the answer has an empty list of choices")
    if not isinstance(choices, list):
        raise ModelError("malformed", f"the answer has no choices, only: {_named(answer)}")
    if len(choices) < n:
        raise ModelError(
            "bad_request",
            f"asked for {n} answers, got {len(choices)}",
            hint="this server does not know `n`; leave it at 1",
        )
    if len(choices) > 1:
        choices = in_order(choices)[:n]
    texts: tuple[str, ...]
    stops: tuple[StopReason, ...]
    thoughts: tuple[str | None, ...]
    usage = read_usage(answer.get("usage"))
    if len(choices) == 1:  # nearly always
        one = read_choice(choices[0])
        texts, stops, refusal = (one.text,), (one.stop,), one.refusal
        thoughts = (one.reasoning,) if one.reasoning else ()
    else:
        replies = [read_choice(choice) for choice in choices]
        texts = tuple([reply.text for reply in replies])
        stops = tuple([reply.stop for reply in replies])
        thoughts = tuple([reply.reasoning for reply in replies])
        refusal = next(filter(None, [reply.refusal for reply in replies]), None)
    return Generation(
        texts=texts,
        finish_reason=word(choices[0].get("finish_reason")),
        n_prompt_tokens=usage.n_prompt,
        n_completion_tokens=usage.n_completion,
        latency_s=latency_s,
        served_by=word(answer.get("model")),
        retry_after_s=retry_after_s,
        stop_reasons=stops,
        reasonings=thoughts if any(thoughts) else (),
        n_reasoning_tokens=usage.n_reasoning,
        refusal=refusal,
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


def _named(answer: Any) -> str:
    """Name the keys of what is no answer, so that one sees what it is."""
    if not isinstance(answer, dict):
        return type(answer).__name__
    names = [name[:40] for name in list(answer)[:_MOST_NAMED]]
    if len(answer) > _MOST_NAMED:
        names.append("...")
    return whole_text(", ".join(names)) or "an empty object"
