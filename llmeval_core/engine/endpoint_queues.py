"""What goes side by side: a queue for each server, and one for all models in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from llmeval_core.concurrency import pull
from llmeval_core.engine.known_results import KnownResults
from llmeval_core.engine.model_handle import ModelHandle
from llmeval_core.engine.request_ledger import RequestLedger
from llmeval_core.generation import ObservedAvailability
from llmeval_core.plan import PlannedEvaluation, PlannedTask

TASKS_AT_ONCE = 4
"""Tasks on one server under way together: enough that the slow end of one holds up nothing."""


@dataclass(slots=True)
class ModelTasks:
    """One model's tasks and what they share.

    Args:
        evaluation: the model and its tasks.
        model: opened by the first task that sends a request, closed after the last.
        known: the results that earlier runs left.
        ledger: who asks which request of the model.
        availability: what the model's requests found out about it.
        has_failed: whether the model cannot be used, so that no other task is begun.
    """

    evaluation: PlannedEvaluation
    model: ModelHandle
    known: KnownResults
    ledger: RequestLedger
    availability: ObservedAvailability = field(default_factory=ObservedAvailability)
    has_failed: bool = False


class EndpointQueue:
    """Models that share a server, or this process, and their tasks in the order of the plan.

    Args:
        endpoint: the server; None for models that work in this process, one task after another.
        models: the models with their tasks.
    """

    def __init__(self, endpoint: str | None, models: list[ModelTasks]) -> None:
        self._n_at_once = TASKS_AT_ONCE if endpoint is not None else 1
        self._models = models

    @property
    def is_opening(self) -> bool:
        """Whether a model is just now made ready."""
        return any(tasks.model.is_opening for tasks in self._models)

    async def run(self, run_task: Callable[[ModelTasks, PlannedTask], Awaitable[None]]) -> None:
        """Run all tasks; the first error ends the queue and is raised."""
        left = {id(tasks): len(tasks.evaluation.tasks) for tasks in self._models}

        async def do(item: tuple[ModelTasks, PlannedTask]) -> None:
            tasks, task = item
            if not tasks.has_failed:
                await run_task(tasks, task)
            left[id(tasks)] -= 1
            if not left[id(tasks)]:
                await tasks.model.aclose()

        try:
            await pull(self._tasks(), do, n_workers=self._n_at_once)
        finally:
            for tasks in self._models:
                await tasks.model.aclose()

    async def _tasks(self) -> AsyncIterator[tuple[ModelTasks, PlannedTask]]:
        for tasks in self._models:
            for task in tasks.evaluation.tasks:
                yield tasks, task
