"""A whole run: servers side by side, results to the journal and to trackers."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.delivery import DeliveryReport, DeliveryWorker
from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.open_files import fit_to_open_files
from llmeval_core.engine.progress import Progress, SilentProgress
from llmeval_core.engine.queue_runner import STOP_GRACE_S, QueueRunner
from llmeval_core.engine.reasking import ReaskFilter
from llmeval_core.engine.result_saver import ResultSaver
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.errors import LlmevalError
from llmeval_core.generation import LocalExecutor
from llmeval_core.journal import DeliveryRepository, Journal
from llmeval_core.plan import Plan
from llmeval_core.records import RunSummary, TaskResult

_log = logging.getLogger("llmeval")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Args:
        summary: counts and results.
        errors: what the user must change; each ended a task or a model.
        deliveries: how it went with each tracker.
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
    reask: ReaskFilter | None = None,
) -> RunOutcome:
    """Carry out a plan.

    Args:
        plan: what to do.
        journal: where it is kept.
        progress: shows how it goes on; None for nothing.
        stop: set it to end the run early: requests under way get `STOP_GRACE_S` to finish, a
            model that is being opened gets no time, everything finished is kept.
        reask: which answers of the journal are asked for once more; None for none.

    Raises:
        JournalError: the journal cannot be written; what was committed is kept.
    """
    plan, note = fit_to_open_files(plan)
    if note is not None:
        _log.warning(note)
    run = _PlanRun(plan, journal, progress or SilentProgress(), stop or asyncio.Event(), reask)
    return await run.run()


class _PlanRun:
    """One run: it begins, its queues run, trackers get what they lack, and it is summed up."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        progress: Progress,
        stop: asyncio.Event,
        reask: ReaskFilter | None,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._stop = stop
        stop_signal = StopSignal(stop)
        messages = OneTimeMessages(progress.message)
        self._spending = Spending(plan.budget, stop_signal, messages)
        self._context = RunContext(
            plan, journal, self._spending, stop_signal, messages, reask=reask
        )
        self._errors: list[LlmevalError] = []
        self._saver = ResultSaver(plan, journal, self._errors, announce=self._announce)
        self._queues = QueueRunner(
            self._context,
            plan.executor or LocalExecutor(),
            progress=progress,
            saver=self._saver,
            errors=self._errors,
        )
        self._delivery_workers: list[DeliveryWorker] = []

    async def run(self) -> RunOutcome:
        started = time.monotonic()
        described = self._plan.describe()
        self._plan.observer.before_run(described)
        self._journal.deliveries(
            DeliveryRepository.remember_plan, self._plan.fingerprint, described
        )
        self._delivery_workers = [
            DeliveryWorker(tracker, self._journal, self._plan.redactor)
            for tracker in self._plan.trackers
        ]
        try:
            try:
                await self._queues.run()
            finally:
                await self._saver.finish()
        finally:
            reports = await self._finish_deliveries()
        summary = self._summary(reports, time.monotonic() - started)
        if self._spending.error is not None and summary.n_unfinished:
            self._errors.append(self._spending.error)
        self._plan.observer.after_run(summary)
        return RunOutcome(summary, tuple(self._errors), tuple(reports))

    def _announce(self, result: TaskResult) -> None:
        """Tell of a result that is on disk."""
        self._plan.observer.after_task(result)
        for worker in self._delivery_workers:
            worker.wake()

    async def _finish_deliveries(self) -> list[DeliveryReport]:
        """Let every delivery worker finish, also if another one fails."""
        self._context.process.restore()
        within_s = self._plan.timeouts.delivery_s
        if self._stop.is_set():
            within_s = min(within_s, STOP_GRACE_S)
        finishing = [
            asyncio.create_task(worker.finish(within_s=within_s))
            for worker in self._delivery_workers
        ]
        try:
            if finishing:
                await asyncio.wait(finishing)
        finally:
            await cancel_and_wait(finishing)
        return [task.result() for task in finishing]

    def _summary(self, reports: list[DeliveryReport], elapsed_s: float) -> RunSummary:
        """Sum up the run; what belongs to groups is counted with their tasks."""
        evaluations = self._plan.evaluations
        planned = [(item.model.name, task.key) for item in evaluations for task in item.tasks]
        grouped = [(item.model.name, group.key) for item in evaluations for group in item.groups]
        tasks = [result for place in planned if (result := self._saver.get(*place))]
        groups = [result for place in grouped if (result := self._saver.get(*place))]
        has_prices = any(model.price is not None for model in self._plan.models)
        return RunSummary(
            results=(*tasks, *groups),
            n_samples=sum(result.n_samples for result in tasks),
            n_failed=sum(result.n_failed for result in tasks),
            n_requests=self._queues.n_requests,
            n_unfinished=len(planned) - len(tasks),
            n_undelivered=sum(report.n_undelivered for report in reports if report.required),
            interrupted=self._stop.is_set(),
            elapsed_s=elapsed_s,
            n_tokens=self._spending.n_tokens,
            cost=self._spending.cost if has_prices else None,
        )
