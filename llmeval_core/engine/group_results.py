"""The results of groups: made as soon as all their tasks have one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from llmeval_core import __version__
from llmeval_core.aggregation import finite_aggregate
from llmeval_core.engine.known_results import standing_again
from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.journal import Journal, JournalQueries
from llmeval_core.naming import fingerprint, metric_key
from llmeval_core.plan import Plan, PlannedEvaluation, PlannedGroup
from llmeval_core.records import Aggregate, MetricResult, Outcome, RoleUsage, TaskResult


class GroupResults:
    """Puts the results of tasks together, model by model.

    Args:
        plan: has the groups.
        journal: knows earlier results.
    """

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._plan = plan
        self._journal = journal
        self._evaluations = {item.model.name: item for item in plan.evaluations if item.groups}
        self._results: dict[tuple[str, str], TaskResult] = {}

    def note(self, result: TaskResult) -> list[Callable[[], tuple[TaskResult, bool]]]:
        """Note a task's result; return what makes the groups that are complete by it.

        Returns:
            Functions that block and give a group's result, and whether it is new: an earlier one
            stays if nothing changed. They raise PluginError if a group cannot be put together.
        """
        evaluation = self._evaluations.get(result.model)
        if evaluation is None:
            return []
        self._results[result.model, result.task] = result
        return [
            partial(self._make, evaluation, group)
            for group in evaluation.groups
            if result.task in group.members.values()
            and all((result.model, key) in self._results for key in group.members.values())
        ]

    def _make(self, evaluation: PlannedEvaluation, group: PlannedGroup) -> tuple[TaskResult, bool]:
        model = evaluation.model.name
        members = {name: self._results[model, key] for name, key in group.members.items()}
        metrics = tuple(_metric(group, name, members) for name in group.group.metrics)
        known = self._journal.read(JournalQueries.result_of, model, group.key, group.fingerprint)
        if known is not None and known.metrics == metrics:
            standing = standing_again(self._journal, known, replace=self._plan.replace)
            return standing, standing is not known
        return _result(self._plan, group, list(members.values()), metrics), True


def _metric(group: PlannedGroup, name: str, members: Mapping[str, TaskResult]) -> MetricResult:
    wanted = group.group.metrics[name]
    found = [
        next(one for one in members[member].metrics if one.metric == name and one.category is None)
        for member in wanted.members
    ]
    aggregates = [one.aggregate for one in found]
    with wrap_plugin_errors(PluginError, f"group '{group.group.name}' cannot be put together"):
        aggregate: Aggregate = finite_aggregate(wanted.aggregate(aggregates))
    counts = {"n_failed": sum(one.n_failed for one in aggregates)}
    return MetricResult(
        key=metric_key(group.key, name),
        metric=name,
        definition=f"{found[0].definition}, {wanted.definition}",
        higher_is_better=found[0].higher_is_better,
        category=None,
        aggregate=aggregate.model_copy(update=counts),
    )


def _result(
    plan: Plan,
    group: PlannedGroup,
    members: Sequence[TaskResult],
    metrics: tuple[MetricResult, ...],
) -> TaskResult:
    return TaskResult(
        id=uuid.uuid4().hex,
        model=members[0].model,
        task=group.key,
        dataset=group.group.name,
        dataset_fingerprint=fingerprint([member.dataset_fingerprint for member in members]),
        n_shots=group.n_shots,
        task_fingerprint=group.fingerprint,
        plan_fingerprint=plan.fingerprint,
        metrics=metrics,
        n_samples=sum(member.n_samples for member in members),
        n_failed=sum(member.n_failed for member in members),
        outcomes=_outcomes(members),
        n_prompt_tokens=_known([one.n_prompt_tokens for one in members]),
        n_completion_tokens=_known([one.n_completion_tokens for one in members]),
        n_reasoning_tokens=_known([one.n_reasoning_tokens for one in members]),
        cost=_cost([member.cost for member in members]),
        roles=_roles(members),
        started_at=min(member.started_at for member in members),
        finished_at=time.time(),
        settings={
            "metrics": {
                name: {
                    "definition": metric.definition,
                    "members": [group.members[one] for one in metric.members],
                }
                for name, metric in group.group.metrics.items()
            }
        },
        llmeval_version=__version__,
        n_total=_known([one.n_total for one in members]),
        variant=group.variant,
        replaces=plan.replace,
    )


def _cost(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


def _outcomes(members: Sequence[TaskResult]) -> dict[Outcome, int]:
    summed: dict[Outcome, int] = {}
    for member in members:
        for outcome, n in member.outcomes.items():
            summed[outcome] = summed.get(outcome, 0) + n
    return summed


def _roles(members: Sequence[TaskResult]) -> dict[str, RoleUsage]:
    """Sum up what was asked of others."""
    names = {name: None for member in members for name in member.roles}
    summed = {}
    for name in names:
        asked = [member.roles[name] for member in members if name in member.roles]
        summed[name] = RoleUsage(
            model=asked[0].model,
            n_requests=sum(one.n_requests for one in asked),
            n_prompt_tokens=_known([one.n_prompt_tokens for one in asked]),
            n_completion_tokens=_known([one.n_completion_tokens for one in asked]),
            n_reasoning_tokens=_known([one.n_reasoning_tokens for one in asked]),
            cost=_cost([one.cost for one in asked]),
        )
    return summed


def _known(counts: Sequence[int | None]) -> int | None:
    """Sum up counts; None if one is not known."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
