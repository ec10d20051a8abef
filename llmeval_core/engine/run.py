"""A whole run: servers side by side, results to the journal and to trackers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.contracts import MODEL, TimeLimit
from llmeval_core.delivery import DeliveryReport, DeliveryWorker
from llmeval_core.engine.endpoint_queues import EndpointQueue, ModelTasks, QueuedTask
from llmeval_core.engine.group_results import GroupResults
from llmeval_core.engine.known_results import KnownResults
from llmeval_core.engine.one_time_messages import OneTimeMessages
from llmeval_core.engine.open_files import fit_to_open_files
from llmeval_core.engine.progress import Progress, SilentProgress
from llmeval_core.engine.rate_limiters import make_rate_limiters
from llmeval_core.engine.reasking import ReaskFilter
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.run_models import RunModel, RunModels
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.engine.task_run import TaskRun
from llmeval_core.errors import JournalError, LlmevalError, ModelError, PluginError
from llmeval_core.generation import LocalExecutor
from llmeval_core.journal import DeliveryRepository, Journal
from llmeval_core.plan import Plan, PlannedTask
from llmeval_core.records import RunSummary, TaskResult

_log = logging.getLogger("llmeval")

STOP_GRACE_S = 10.0
"""How long requests under way may finish after the user stopped the run, seconds."""


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
    """The state of one run: what it shares, what came out so far."""

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
        self._progress = progress
        self._stop = stop
        self._stop_signal = StopSignal(stop)
        messages = OneTimeMessages(progress.message)
        self._spending = Spending(plan.budget, self._stop_signal, messages)
        self._context = RunContext(
            plan, journal, self._spending, self._stop_signal, messages, reask=reask
        )
        self._executor = plan.executor or LocalExecutor()
        self._limit = _run_limit(plan)
        self._models = RunModels(
            self._context,
            progress=progress,
            executor=self._executor,
            rate_limiters=make_rate_limiters(plan, progress.message),
            run_limit=self._limit,
        )
        self._delivery_workers: list[DeliveryWorker] = []
        self._groups = GroupResults(plan, journal)
        self._saving: set[asyncio.Task[None]] = set()
        self._results: dict[tuple[str, str], TaskResult] = {}
        self._errors: list[LlmevalError] = []
        self._n_requests = 0

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
                await self._evaluate_until_stopped()
            finally:
                try:
                    await asyncio.gather(*self._saving)
                finally:
                    await cancel_and_wait(self._saving)
        finally:
            reports = await self._finish_deliveries()
        if self._spending.error is not None:
            self._errors.append(self._spending.error)
        summary = self._summary(reports, time.monotonic() - started)
        self._plan.observer.after_run(summary)
        return RunOutcome(summary, tuple(self._errors), tuple(reports))

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

    async def _evaluate_until_stopped(self) -> None:
        """Run all queues; after a stop requests under way may finish, openings may not."""
        queues = self._queues()
        running = {asyncio.create_task(queue.run(self._run_queued)): queue for queue in queues}
        stopping = asyncio.create_task(self._stop_signal.wait())
        try:
            left = set(running)
            while left and not stopping.done():
                done, _ = await asyncio.wait((*left, stopping), return_when=asyncio.FIRST_COMPLETED)
                left -= done
                if any(task.exception() for task in done - {stopping}):
                    break
            for task, queue in running.items():
                if stopping.done() and queue.is_opening:
                    task.cancel()
            if left and stopping.done():
                await asyncio.wait(left, timeout=STOP_GRACE_S)
        finally:
            await cancel_and_wait((stopping, *running))
            await self._models.aclose()
        for ended in running:
            if not ended.cancelled():
                ended.result()

    def _queues(self) -> list[EndpointQueue]:
        """Group the models by server, in the order of the plan."""
        groups: dict[str | None, list[ModelTasks]] = {}
        for evaluation in self._plan.evaluations:
            tasks = ModelTasks(
                evaluation,
                self._models.of(evaluation.model),
                KnownResults(self._journal, evaluation),
            )
            groups.setdefault(evaluation.model.info.endpoint, []).append(tasks)
        return [EndpointQueue(endpoint, models) for endpoint, models in groups.items()]

    async def _run_queued(self, queued: QueuedTask) -> bool:
        """Run a task, and close the models of which it was the last one; True if it is put away."""
        planned, task = queued.model_tasks.evaluation.model, queued.task
        models = self._models.of_task(self._plan, planned, task)
        is_put_away = False
        try:
            is_put_away = await self._run_task(queued, models)
        finally:
            for role, model in models.items():
                if (role == MODEL and not queued.is_second) or (role != MODEL and not is_put_away):
                    await model.use_ended()
        return is_put_away

    async def _run_task(self, queued: QueuedTask, models: Mapping[str, RunModel]) -> bool:
        """Run a task; what the user must change about it is noted. True if it is put away."""
        model_tasks, task = queued.model_tasks, queued.task
        if self._stop_signal.is_set() or model_tasks.has_failed:
            return False
        self._context.process.restore()  # after the metrics of the task before
        try:
            if self._context.reask is None and (known := await model_tasks.known.of(task)):
                self._reuse(model_tasks, task, known)
            else:
                return await self._run_and_save(queued, models)
        except JournalError:
            raise
        except LlmevalError as err:
            model = model_tasks.evaluation.model.name
            err.what = self._plan.redactor(err.what)
            err.where = self._plan.redactor(err.where or f"{model}, {task.key}")
            err.hint = self._plan.redactor(err.hint) if err.hint else None
            if not model_tasks.has_failed:
                self._errors.append(err)
            if isinstance(err, ModelError):
                model_tasks.has_failed = True  # no other task of this model can do better
            if self._plan.fail_fast:
                self._stop_signal.set()
        return False

    def _reuse(self, model_tasks: ModelTasks, task: PlannedTask, known: TaskResult) -> None:
        """Take the result of an earlier run for that of a task."""
        model_tasks.model.availability.answered_before = True
        meter = self._progress.task_started(known.model, task.key, task.n_samples)
        meter.samples_skipped(known.n_samples)
        meter.task_finished(known, reused=True)
        self._save(known, is_new=False)

    async def _run_and_save(self, queued: QueuedTask, models: Mapping[str, RunModel]) -> bool:
        """Run a task and save its result; True if it is put away."""
        run = TaskRun(
            self._context,
            queued.model_tasks.evaluation.model,
            queued.task,
            models=models,
            executor=self._executor,
            progress=self._progress,
            run_limit=self._limit,
            is_second=queued.is_second,
        )
        try:
            result = await run.run()
        finally:
            self._n_requests += run.n_requests
        if result is not None:
            self._save(result, is_new=True)
        return run.is_put_away

    def _save(self, result: TaskResult, *, is_new: bool) -> None:
        """Save a result in the background: the next task need not wait for the disk.

        `is_new` is False if the journal has the result already; then only trackers may lack it.
        """
        saving = asyncio.create_task(self._save_and_announce(result, is_new=is_new))
        self._saving.add(saving)
        saving.add_done_callback(self._note_saved)

    async def _save_and_announce(self, result: TaskResult, *, is_new: bool) -> None:
        trackers = tuple(tracker.name for tracker in self._plan.trackers)
        if is_new or trackers:
            await self._journal.save(result, trackers)
        self._results[result.model, result.task] = result
        self._plan.observer.after_task(result)
        for worker in self._delivery_workers:
            worker.wake()
        try:
            groups = await asyncio.to_thread(self._groups.add, result)
        except PluginError as err:
            self._errors.append(err)
            return
        for group, is_new_group in groups:
            await self._save_and_announce(group, is_new=is_new_group)

    def _note_saved(self, saving: asyncio.Task[None]) -> None:
        """Forget a save that succeeded; the error of another one is raised at the end."""
        if not saving.cancelled() and saving.exception() is None:
            self._saving.discard(saving)

    def _summary(self, reports: list[DeliveryReport], elapsed_s: float) -> RunSummary:
        planned = [
            (item.model.name, task.key) for item in self._plan.evaluations for task in item.tasks
        ]
        grouped = [
            (item.model.name, group.key) for item in self._plan.evaluations for group in item.groups
        ]
        results = tuple(self._results[place] for place in planned if place in self._results)
        groups = tuple(self._results[place] for place in grouped if place in self._results)
        has_prices = any(model.price is not None for model in self._plan.models)
        return RunSummary(
            results=(*results, *groups),
            n_samples=sum(result.n_samples for result in results),
            n_failed=sum(result.n_failed for result in results),
            n_requests=self._n_requests + self._models.n_requests,
            n_unfinished=len(planned) - len(results),
            n_undelivered=sum(report.n_undelivered for report in reports if report.required),
            interrupted=self._stop.is_set(),
            elapsed_s=elapsed_s,
            n_tokens=self._spending.n_tokens,
            cost=self._spending.cost if has_prices else None,
        )


def _run_limit(plan: Plan) -> TimeLimit | None:
    """Say when a run that begins now must end; None for never."""
    run_s = plan.timeouts.run_s
    if run_s is None:
        return None
    return TimeLimit(asyncio.get_running_loop().time() + run_s, "timeouts.run_s")
