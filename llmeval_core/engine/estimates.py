"""What requests will use: tokens, money and time, from what earlier ones used."""

from __future__ import annotations

from dataclasses import dataclass

from llmeval_core.engine.past_usage import PastUsage
from llmeval_core.engine.spending import cost_of
from llmeval_core.journal import ModelUsage
from llmeval_core.plan import PlannedModel, PlannedTask

UNKNOWN_COMPLETION_TOKENS = 256
"""What an answer is taken for if nothing is known of it, not even its limit."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the requests still to be sent will use.

    Args:
        n_prompt_tokens, n_completion_tokens: tokens in all.
        cost: in the currency of the prices; None without a price.
        duration_s: seconds, at the pace of earlier answers; None if the model was never asked.
        basis: where the numbers come from, in words.
    """

    n_prompt_tokens: int
    n_completion_tokens: int
    cost: float | None
    duration_s: float | None
    basis: str


def estimate(
    model: PlannedModel,
    task: PlannedTask,
    usage: PastUsage,
    *,
    n_requests: int,
    n_prompt_tokens: int,
    n_at_once: int,
) -> Estimate:
    """Estimate a task.

    Tokens that are read are `tokens.prompt_tokens` of each request, corrected by the ratio that
    earlier answers of this task show, if there are some; tokens that are written are the mean of
    earlier answers to this task, else of this model, else the limit of an answer.

    Args:
        model, task: whose requests.
        usage: what earlier answers used.
        n_requests: requests still to be sent.
        n_prompt_tokens: what they have by rule.
        n_at_once: how many go together.
    """
    of_task = usage.of_task(model.name, task.key)
    known = of_task or usage.of_model(model.name)
    basis = _basis(of_task, known)
    written = _written(task, known)
    if of_task is not None and of_task.n_prompt_tokens is not None:
        n_prompt_tokens = round(of_task.n_prompt_tokens * n_requests)
    n_completion_tokens = round(written * n_requests)
    return Estimate(
        n_prompt_tokens,
        n_completion_tokens,
        cost_of(model.price, n_prompt_tokens, n_completion_tokens) if model.price else None,
        _duration_s(known, n_requests, n_at_once) if known is not None else None,
        basis,
    )


def _duration_s(known: ModelUsage, n_requests: int, n_at_once: int) -> float:
    """Estimate how long requests take: as long as earlier ones took, as many at once as then.

    A run that allows fewer at once takes longer than that. None takes less than one answer.
    """
    if n_requests == 0:
        return 0.0
    as_before = known.busy_s / known.n * n_requests
    one_after_another = known.latency_s * n_requests
    return max(as_before, one_after_another / n_at_once, known.latency_s)


def _basis(of_task: ModelUsage | None, known: ModelUsage | None) -> str:
    if of_task is not None:
        return f"{of_task.n:,} answers to this task"
    if known is not None:
        return f"{known.n:,} answers of this model"
    return "the rule of four characters a token"


def _written(task: PlannedTask, known: ModelUsage | None) -> float:
    if task.mode == "loglikelihood":
        return 0.0
    if known is not None and known.n_completion_tokens is not None:
        return known.n_completion_tokens
    most = task.generation.max_tokens
    return (UNKNOWN_COMPLETION_TOKENS if most is None else most) * task.generation.n
