"""A whole run: models with their tasks, trackers, and all limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llmeval_core.config import BudgetConfig, Redactor, RetryConfig, TimeoutConfig
from llmeval_core.contracts import Executor, Observer, Tracker
from llmeval_core.naming import Json
from llmeval_core.plan.planned_models import PlannedModel, PlannedRole
from llmeval_core.plan.planned_tasks import PlannedGroup, PlannedTask


@dataclass(frozen=True, slots=True)
class PlannedTracker:
    """A tracker under its name in this run, and its settings as written."""

    name: str
    tracker: Tracker
    required: bool
    use: str
    settings: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class PlannedEvaluation:
    """All tasks of one model, and what some of them make together."""

    model: PlannedModel
    tasks: tuple[PlannedTask, ...]
    groups: tuple[PlannedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a run needs.

    Args:
        evaluations: models with their tasks, in the order of the run file.
        trackers: result sinks.
        executor: where requests are answered; None for this process.
        observer: is told what happens.
        redactor: takes secrets out of any text that is stored or shown.
        concurrency: requests under way at once to one server; None to find it out, up to
            `max_concurrency`.
        budget: when to stop spending.
        max_samples_failed: failed samples that end a task; below 1 a part of its samples.
        fail_fast: whether the first failed sample ends the run.
        fingerprint: equal exactly if the same numbers are asked for.
        replace: whether results take the place of more complete ones.
        notes: what the user should know before the first request, a line each.
        roles: the models that are asked beside the evaluated ones, by role.
    """

    evaluations: tuple[PlannedEvaluation, ...]
    trackers: tuple[PlannedTracker, ...]
    executor: Executor | None
    observer: Observer
    redactor: Redactor
    seed: int
    concurrency: int | None
    max_concurrency: int
    budget: BudgetConfig
    max_samples_failed: float | None
    fail_fast: bool
    give_up_after: int
    retry: RetryConfig
    timeouts: TimeoutConfig
    fingerprint: str
    replace: bool = False
    notes: tuple[str, ...] = ()
    roles: Mapping[str, PlannedRole] = field(default_factory=dict)

    @property
    def models(self) -> list[PlannedModel]:
        """The models of the run, those with a role last; one may come twice."""
        return [
            *(evaluation.model for evaluation in self.evaluations),
            *(role.model for role in self.roles.values()),
        ]

    def describe(self) -> dict[str, Json]:
        """Return the plan as JSON, for `llmeval plan --json`, observers and trackers."""
        described: dict[str, Json] = {
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "concurrency": self.concurrency,
            "models": [
                {"name": item.model.name, "settings": dict(item.model.settings)}
                for item in self.evaluations
            ],
            "tasks": [
                {
                    "model": item.model.name,
                    "key": task.key,
                    "fingerprint": task.fingerprint,
                    "n_samples": task.n_samples,
                    "settings": dict(task.settings),
                }
                for item in self.evaluations
                for task in item.tasks
            ],
            "trackers": [tracker.name for tracker in self.trackers],
        }
        groups: list[Json] = [
            {"model": item.model.name, "key": group.key, "members": list(group.members.values())}
            for item in self.evaluations
            for group in item.groups
        ]
        if groups:
            described["groups"] = groups
        if self.roles:
            described["roles"] = {
                name: {"name": role.model.name, "settings": dict(role.model.settings)}
                for name, role in self.roles.items()
            }
        return described
