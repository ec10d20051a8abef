"""What goes side by side: a lane for each server, and one for all models in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from llmeval_core.concurrency import pull
from llmeval_core.engine.in_flight import RequestsInFlight
from llmeval_core.engine.model_handle import ModelHandle
from llmeval_core.generation import ObservedAvailability
from llmeval_core.plan import PlannedEvaluation, PlannedTask

TASKS_AT_ONCE = 4
"""Tasks on one server under way together: enough that the slow end of one holds up nothing."""


@dataclass(slots=True)
class ModelTasks:
    """One model's tasks and what they share.

    Args:
        evaluation: the model and its tasks.
        model: opened by the first task that asks, closed after the last.
        availability: what its requests found out about it.
        is_given_up: whether the model cannot be used, so that no other task is begun.
    """

    evaluation: PlannedEvaluation
    model: ModelHandle
    in_flight: RequestsInFlight = field(default_factory=RequestsInFlight)
    availability: ObservedAvailability = field(default_factory=ObservedAvailability)
    is_given_up: bool = False


class EndpointQueue:
    """Models that share a server, or this process, and their tasks in the order of the plan.

    Args:
        endpoint: the server; None for models that work in this process, one task after another.
        works: the models.
    """

    def __init__(self, endpoint: str | None, works: list[ModelTasks]) -> None:
        self._n_at_once = TASKS_AT_ONCE if endpoint is not None else 1
        self._works = works

    @property
    def is_opening(self) -> bool:
        """Whether a model is just now made ready."""
        return any(work.model.is_opening for work in self._works)

    async def run(self, run_task: Callable[[ModelTasks, PlannedTask], Awaitable[None]]) -> None:
        """Run all tasks; the first error ends the lane and is raised."""
        left = {id(work): len(work.evaluation.tasks) for work in self._works}

        async def do(item: tuple[ModelTasks, PlannedTask]) -> None:
            work, task = item
            if not work.is_given_up:
                await run_task(work, task)
            left[id(work)] -= 1
            if not left[id(work)]:
                await work.model.aclose()

        try:
            await pull(self._tasks(), do, n_workers=self._n_at_once)
        finally:
            for work in self._works:
                await work.model.aclose()

    async def _tasks(self) -> AsyncIterator[tuple[ModelTasks, PlannedTask]]:
        for work in self._works:
            for task in work.evaluation.tasks:
                yield work, task
