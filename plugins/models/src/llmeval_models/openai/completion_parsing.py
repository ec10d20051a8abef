"""Reading an answer of chat or completions: nothing in it is believed before it is looked at."""

from __future__ import annotations

from typing import Any

from llmeval_core.hooks import Generation, ModelError
from llmeval_models.answers.choice_content import read_choice
from llmeval_models.answers.generation_making import in_order, make_generation, named_keys
from llmeval_models.answers.token_usage import read_usage


def read_answer(
    answer: Any, *, n: int, latency_s: float, retry_after_s: float | None = None
) -> Generation:
    """Read an answer; Any: whatever JSON came.

    What is asked for, the texts, must be right; what is told beside them (counts, names, reasons)
    is unknown where it is not what it should be.

    Args:
        answer: the body.
        n: how many answers were asked for; the first so many are taken, by their `index`.
        latency_s, retry_after_s: see `Generation`.

    Raises:
        ModelError: `malformed`, it has no choices, or one that is none; `bad_request`, fewer
            than were asked for.
    """
    choices = answer.get("choices") if isinstance(answer, dict) else None
    if choices == []:
        raise ModelError("malformed", "the answer has an empty list of choices")
    if not isinstance(choices, list):
        raise ModelError("malformed", f"the answer has no choices, only: {named_keys(answer)}")
    if len(choices) < n:
        raise ModelError(
            "bad_request",
            f"asked for {n} answers, got {len(choices)}",
            hint="this server does not know `n`; leave it at 1",
        )
    if len(choices) > 1:
        choices = in_order(choices)[:n]
    return make_generation(
        [read_choice(choice) for choice in choices],
        finish_reason=choices[0].get("finish_reason"),
        usage=read_usage(answer.get("usage")),
        served_by=answer.get("model"),
        latency_s=latency_s,
        retry_after_s=retry_after_s,
    )
