"""What goes side by side: a queue for each server, and one for all models in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from llmeval_core.concurrency import pull
from llmeval_core.engine.known_results import KnownResults
from llmeval_core.engine.run_models import RunModel
from llmeval_core.engine.task_run import TaskRun
from llmeval_core.plan import PlannedEvaluation, PlannedTask

TASKS_AT_ONCE = 4
"""Tasks on one server under way together: enough that the slow end of one holds up nothing."""


@dataclass(slots=True)
class ModelTasks:
    """One model's tasks and what they share.

    Args:
        evaluation: the model and its tasks.
        model: what belongs to the model in this run.
        known: the results that earlier runs left.
        has_failed: whether the model cannot be used, so that no other task is begun.
    """

    evaluation: PlannedEvaluation
    model: RunModel
    known: KnownResults
    has_failed: bool = False


@dataclass(frozen=True, slots=True)
class QueuedTask:
    """A task in a queue.

    Args:
        model_tasks: whose task it is.
        task: the task.
        put_away: its run, if it was put away once and goes on now; None if it only begins.
    """

    model_tasks: ModelTasks
    task: PlannedTask
    put_away: TaskRun | None = None

    @property
    def is_second(self) -> bool:
        """Whether it was put away once, and goes on now."""
        return self.put_away is not None


RunTask = Callable[[QueuedTask], Awaitable[TaskRun | None]]
"""Runs a task; returns its run if it is put away: it goes on when all others are done."""


class EndpointQueue:
    """Models that share a server, or this process, and their tasks in the order of the plan.

    Args:
        endpoint: the server; None for models that work in this process, one task after another.
        models: the models with their tasks.
        one_by_one: whether its tasks go one after another all the same.
    """

    def __init__(
        self, endpoint: str | None, models: list[ModelTasks], *, one_by_one: bool = False
    ) -> None:
        self._n_at_once = TASKS_AT_ONCE if endpoint is not None and not one_by_one else 1
        self._models = models

    @property
    def is_opening(self) -> bool:
        """Whether a model is just now made ready."""
        return any(tasks.model.handle.is_opening for tasks in self._models)

    async def run(self, run_task: RunTask) -> None:
        """Run all tasks; the first error ends the queue and is raised.

        Tasks that are put away go on after all others: by then no model of this queue is open, and
        the one that they wait for can be.
        """
        put_away: list[QueuedTask] = []

        async def do(queued: QueuedTask) -> None:
            if (run := await run_task(queued)) is not None:
                put_away.append(replace(queued, put_away=run))

        await pull(_each(self._tasks()), do, n_workers=self._n_at_once)
        if put_away:
            await pull(_each(list(put_away)), do, n_workers=self._n_at_once)

    def _tasks(self) -> Iterable[QueuedTask]:
        for tasks in self._models:
            for task in tasks.evaluation.tasks:
                yield QueuedTask(tasks, task)


async def _each(tasks: Iterable[QueuedTask]) -> AsyncIterator[QueuedTask]:
    for task in tasks:
        yield task
