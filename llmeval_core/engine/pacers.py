"""One pacer a server and key, for all models of a run that share them."""

from __future__ import annotations

from collections.abc import Callable

from llmeval_core.pacing import AdaptiveLimit, FixedLimit, Limit, Pacer, RetryBudget
from llmeval_core.plan import Plan, PlannedModel


def endpoint_of(model: PlannedModel) -> str:
    """Name what a model shares its limits with: its server, or itself."""
    return model.info.endpoint or f"model {model.name}"


def most_at_once(plan: Plan, models: list[PlannedModel]) -> int:
    """Say how many requests to these models, all on one server, may be under way at most.

    A model that works in process has as many copies as the executor opens.
    """
    limits = [plan.concurrency or plan.max_concurrency]
    for model in models:
        if model.info.max_concurrency is not None:
            n_copies = getattr(plan.executor, "n_copies", 1) if model.info.endpoint is None else 1
            limits.append(model.info.max_concurrency * n_copies)
    return min(limits)


def make_pacers(plan: Plan, tell: Callable[[str], None]) -> dict[str, Pacer]:
    """Make the pacers of a run, by endpoint.

    Args:
        plan: whose models, and what is set about them; of several quotas the lowest counts.
        tell: is given a line when a server goes down and when it is back.
    """
    groups: dict[str, list[PlannedModel]] = {}
    for evaluation in plan.evaluations:
        groups.setdefault(endpoint_of(evaluation.model), []).append(evaluation.model)
    retries = RetryBudget(plan.retry.budget)
    return {
        endpoint: _make_pacer(plan, models, retries, tell) for endpoint, models in groups.items()
    }


def _make_pacer(
    plan: Plan, models: list[PlannedModel], retries: RetryBudget, tell: Callable[[str], None]
) -> Pacer:
    most = most_at_once(plan, models)
    limit: Limit = FixedLimit(most) if plan.concurrency else AdaptiveLimit(most=most)
    names = ", ".join(model.name for model in models)
    return Pacer(
        limit,
        requests_per_minute=_lowest([model.limits.requests_per_minute for model in models]),
        tokens_per_minute=_lowest([model.limits.tokens_per_minute for model in models]),
        retries=retries,
        patience_s=plan.timeouts.unavailable_s,
        tell=lambda text: tell(f"{names}: {plan.redactor(text)}"),
    )


def _lowest(values: list[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
