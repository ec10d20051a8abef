"""The result of a task, put together from what its samples sum up to."""

from __future__ import annotations

import time
import uuid

from llmeval_core import __version__
from llmeval_core.engine.spending import cost_of
from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.journal import RoleTotals, TaskTotals
from llmeval_core.naming import Json
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.records import MetricResult, RoleUsage, TaskResult


def make_task_result(
    plan: Plan,
    model: PlannedModel,
    task: PlannedTask,
    *,
    totals: TaskTotals,
    n_read: int,
    metrics: tuple[MetricResult, ...],
    started_at: float,
) -> TaskResult:
    """Make the result of a task that is finished now.

    Args:
        plan, model, task: what was run.
        totals: the sums over its samples.
        n_read: how many samples were read; some may be missing in the sums.
        metrics: its numbers.
        started_at: when it began, seconds since 1970.
    """
    return TaskResult(
        id=uuid.uuid4().hex,
        model=model.name,
        task=task.key,
        dataset=task.dataset_name,
        dataset_fingerprint=task.dataset_fingerprint,
        n_shots=task.n_shots,
        task_fingerprint=task.fingerprint,
        plan_fingerprint=plan.fingerprint,
        metrics=metrics,
        n_samples=totals.n_samples,
        n_failed=totals.n_failed,
        outcomes=totals.outcomes,
        n_prompt_tokens=totals.model.n_prompt_tokens,
        n_completion_tokens=totals.model.n_completion_tokens,
        n_reasoning_tokens=totals.model.n_reasoning_tokens,
        cost=_cost(model, totals.model),
        roles={
            role: _usage(plan.roles[role].model, asked)
            for role, asked in totals.others.items()
            if role in plan.roles
        },
        started_at=started_at,
        finished_at=time.time(),
        settings=_settings(task, totals),
        llmeval_version=__version__,
        n_total=_n_total(task, n_read),
        variant=task.variant,
        replaces=plan.replace,
    )


def _settings(task: PlannedTask, totals: TaskTotals) -> dict[str, Json]:
    """Say how the task was really asked."""
    settings = dict(task.settings)
    if totals.model.not_sent:
        settings["not_sent"] = list(totals.model.not_sent)
    served_by: dict[str, Json] = {
        role: list(asked.served_by) for role, asked in totals.others.items() if asked.served_by
    }
    if served_by:  # a provider may put another model behind the same name
        settings["served_by"] = served_by
    return settings


def _n_total(task: PlannedTask, n_read: int) -> int | None:
    """Say how many samples the data set has; one that was read to its end has been counted.

    A ready-made task may know it only now that its data are loaded.
    """
    if task.limit is None or n_read < task.limit:
        return n_read
    if task.n_total is not None or task.task is None:
        return task.n_total
    with wrap_plugin_errors(PluginError, f"task '{task.dataset_name}' cannot say its size"):
        return task.task.size()


def _usage(model: PlannedModel, asked: RoleTotals) -> RoleUsage:
    return RoleUsage(
        model=model.name,
        n_requests=asked.n_requests,
        n_prompt_tokens=asked.n_prompt_tokens,
        n_completion_tokens=asked.n_completion_tokens,
        n_reasoning_tokens=asked.n_reasoning_tokens,
        cost=_cost(model, asked),
    )


def _cost(model: PlannedModel, asked: RoleTotals) -> float | None:
    """Price answers, whenever they were given; None if that is not known."""
    price = model.price
    if price is None or asked.n_prompt_tokens is None:
        return None
    return cost_of(price, asked.n_prompt_tokens, asked.n_completion_tokens or 0)
