"""One rate limiter a server and key, for all models of a run that share them."""

from __future__ import annotations

from collections.abc import Callable

from llmeval_core.pacing import AdaptiveLimit, EndpointRateLimiter, FixedLimit, Limit, RetryBudget
from llmeval_core.pacing.declared_limit import DeclaredLimit
from llmeval_core.plan import Plan, PlannedModel


def endpoint_of(model: PlannedModel) -> str:
    """Name what a model shares its limits with: its server, or itself."""
    return model.info.endpoint or f"model {model.name}"


def max_served(plan: Plan, models: list[PlannedModel]) -> int:
    """Say how many requests these models, all on one server, may serve at once.

    A model that works in process has as many copies as the executor opens.
    """
    return _lowest_limit(plan, models, prefetch_per_replica=0)


def max_in_flight(plan: Plan, models: list[PlannedModel]) -> int:
    """Say how many requests to these models, all on one server, an executor may have at once.

    Those that may wait in its copies of a model that works in process are among them; none does
    if samples have a time limit, which would run meanwhile.
    """
    waits = plan.timeouts.sample_s is None
    return _lowest_limit(
        plan,
        models,
        prefetch_per_replica=getattr(plan.executor, "prefetch_per_replica", 0) if waits else 0,
    )


def _lowest_limit(plan: Plan, models: list[PlannedModel], *, prefetch_per_replica: int) -> int:
    limits = [plan.concurrency or plan.max_concurrency]
    for model in models:
        most = model.info.max_concurrency
        if most is None:
            continue
        if model.info.endpoint is None:
            most = (most + prefetch_per_replica) * getattr(plan.executor, "n_replicas", 1)
        limits.append(most)
    return min(limits)


def make_rate_limiters(plan: Plan, notify: Callable[[str], None]) -> dict[str, EndpointRateLimiter]:
    """Make the rate limiters of a run, by endpoint.

    Args:
        plan: whose models, and what is set about them; of several quotas the lowest counts.
        notify: is given a line when a server goes down and when it is back.
    """
    groups: dict[str, list[PlannedModel]] = {}
    for model in plan.models:
        groups.setdefault(endpoint_of(model), []).append(model)
    retries = RetryBudget(plan.retry.budget)
    return {
        endpoint: _make_rate_limiter(plan, models, retries, notify)
        for endpoint, models in groups.items()
    }


def _make_rate_limiter(
    plan: Plan, models: list[PlannedModel], retries: RetryBudget, notify: Callable[[str], None]
) -> EndpointRateLimiter:
    names = ", ".join(model.name for model in models)
    return EndpointRateLimiter(
        _make_limit(plan, models),
        requests_per_minute=_lowest([model.limits.requests_per_minute for model in models]),
        tokens_per_minute=_lowest([model.limits.tokens_per_minute for model in models]),
        retries=retries,
        max_wait_s=plan.timeouts.unavailable_s,
        notify=lambda text: notify(f"{names}: {plan.redactor(text)}"),
    )


def _make_limit(plan: Plan, models: list[PlannedModel]) -> Limit:
    """Choose how much goes at once; a model in process that declares it needs no search."""
    highest = max_in_flight(plan, models)
    if plan.concurrency:
        return FixedLimit(highest)
    infos = [model.info for model in models]
    if all(info.endpoint is None and info.max_concurrency is not None for info in infos):
        n_replicas = getattr(plan.executor, "n_replicas", 1)
        return DeclaredLimit(
            n_served=max_served(plan, models), max_limit=highest, min_limit=n_replicas
        )
    return AdaptiveLimit(max_limit=highest)


def _lowest(values: list[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
