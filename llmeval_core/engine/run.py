"""A whole run: models one after another, their tasks one after another, results to trackers."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from llmeval_core.delivery import Courier, DeliveryReport
from llmeval_core.engine.opening import LazyModel
from llmeval_core.engine.progress import Progress, SilentProgress
from llmeval_core.engine.task_run import TaskRun
from llmeval_core.errors import JournalError, LlmevalError, ModelError
from llmeval_core.generation import LocalExecutor
from llmeval_core.journal import Deliveries, Journal
from llmeval_core.plan import Plan, PlannedEvaluation, PlannedTask
from llmeval_core.records import RunSummary, TaskResult

STOP_GRACE_S = 10.0
"""How long requests under way may finish after the user stopped the run, seconds."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Args:
        summary: counts and results.
        errors: what the user must change; each ended a task or a model.
        deliveries: how each tracker stands.
    """

    summary: RunSummary
    errors: tuple[LlmevalError, ...]
    deliveries: tuple[DeliveryReport, ...]


async def run_plan(
    plan: Plan,
    journal: Journal,
    *,
    progress: Progress | None = None,
    stop: asyncio.Event | None = None,
) -> RunOutcome:
    """Carry out a plan.

    Args:
        plan: what to do.
        journal: where it is kept.
        progress: who is told; nobody if None.
        stop: set it to end the run early: requests under way get `STOP_GRACE_S` to finish, a
            model that is being opened gets no time, everything finished is kept.

    Raises:
        JournalError: the journal cannot be written; what was committed is kept.
    """
    run = _Run(plan, journal, progress or SilentProgress(), stop or asyncio.Event())
    return await run.carry_out()


class _Run:
    """One run's state: who is told, what came out so far."""

    def __init__(
        self, plan: Plan, journal: Journal, progress: Progress, stop: asyncio.Event
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._progress = progress
        self._stop = stop
        self._model: LazyModel | None = None
        self._couriers: list[Courier] = []
        self._results: list[TaskResult] = []
        self._errors: list[LlmevalError] = []
        self._n_requests = 0

    async def carry_out(self) -> RunOutcome:
        started = time.monotonic()
        described = self._plan.describe()
        self._plan.observer.before_run(described)
        self._journal.deliveries(Deliveries.remember_plan, self._plan.fingerprint, described)
        self._couriers = [
            Courier(tracker, self._journal, self._plan.redactor) for tracker in self._plan.trackers
        ]
        try:
            await self._evaluate_until_stopped()
        finally:
            reports = await self._finish_deliveries()
        summary = self._summary(reports, time.monotonic() - started)
        self._plan.observer.after_run(summary)
        return RunOutcome(summary, tuple(self._errors), tuple(reports))

    async def _finish_deliveries(self) -> list[DeliveryReport]:
        """Let every courier finish, also if another one fails."""
        within_s = self._plan.timeouts.delivery_s
        if self._stop.is_set():
            within_s = min(within_s, STOP_GRACE_S)
        finishing = [
            asyncio.create_task(courier.finish(within_s=within_s)) for courier in self._couriers
        ]
        if finishing:
            await asyncio.wait(finishing)
        return [task.result() for task in finishing]

    async def _evaluate_until_stopped(self) -> None:
        working = asyncio.create_task(self._evaluate())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                opening = self._model is not None and self._model.is_opening
                grace_s = 0.0 if opening else STOP_GRACE_S
                await asyncio.wait((working,), timeout=grace_s)
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait((working, stopping))
        if not working.cancelled():
            working.result()

    async def _evaluate(self) -> None:
        for evaluation in self._plan.evaluations:
            self._model = model = LazyModel(evaluation.model, self._plan, self._progress)
            try:
                await self._run_model(evaluation, model)
            finally:
                await model.aclose()

    async def _run_model(self, evaluation: PlannedEvaluation, model: LazyModel) -> None:
        for task in evaluation.tasks:
            if self._stop.is_set():
                return
            try:
                await self._run_task(evaluation, task, model)
            except JournalError:
                raise
            except LlmevalError as err:
                err.what = self._plan.redactor(err.what)
                err.where = self._plan.redactor(err.where or f"{evaluation.model.name}, {task.key}")
                err.hint = self._plan.redactor(err.hint) if err.hint else None
                self._errors.append(err)
                if isinstance(err, ModelError):
                    return  # no other task of this model can do better

    async def _run_task(
        self, evaluation: PlannedEvaluation, task: PlannedTask, model: LazyModel
    ) -> None:
        run = TaskRun(
            self._plan,
            evaluation.model,
            task,
            journal=self._journal,
            progress=self._progress,
            stop=self._stop,
        )
        try:
            result = await run.run(self._plan.executor or LocalExecutor(), model.job())
        finally:
            self._n_requests += run.n_requests
        if result is None:
            return
        trackers = tuple(tracker.name for tracker in self._plan.trackers)
        await asyncio.to_thread(self._journal.deliveries, Deliveries.save, result, trackers)
        self._results.append(result)
        self._plan.observer.after_task(result)
        for courier in self._couriers:
            courier.wake()

    def _summary(self, reports: list[DeliveryReport], elapsed_s: float) -> RunSummary:
        n_tasks = sum(len(evaluation.tasks) for evaluation in self._plan.evaluations)
        return RunSummary(
            results=tuple(self._results),
            n_samples=sum(result.n_samples for result in self._results),
            n_failed=sum(result.n_failed for result in self._results),
            n_requests=self._n_requests,
            n_unfinished=n_tasks - len(self._results),
            n_undelivered=sum(report.n_undelivered for report in reports if report.required),
            interrupted=self._stop.is_set(),
            elapsed_s=elapsed_s,
        )
