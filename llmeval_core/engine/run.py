"""A whole run: servers side by side, results to the journal and to trackers."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from llmeval_core.contracts import TimeLimit
from llmeval_core.delivery import DeliveryReport, DeliveryWorker
from llmeval_core.engine.endpoint_queues import EndpointQueue, ModelTasks
from llmeval_core.engine.model_handle import ModelHandle
from llmeval_core.engine.notices import Notices
from llmeval_core.engine.open_files import within_open_files
from llmeval_core.engine.progress import Progress, SilentProgress
from llmeval_core.engine.rate_limiters import endpoint_of, make_pacers, most_let_in
from llmeval_core.engine.reasking import ReaskFilter
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.spending import Spending
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.engine.task_run import TaskRun
from llmeval_core.errors import JournalError, LlmevalError, ModelError
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
    again: ReaskFilter | None = None,
) -> RunOutcome:
    """Carry out a plan.

    Args:
        plan: what to do.
        journal: where it is kept.
        progress: who is told; nobody if None.
        stop: set it to end the run early: requests under way get `STOP_GRACE_S` to finish, a
            model that is being opened gets no time, everything finished is kept.
        again: which answers of the journal are asked for once more; None for none.

    Raises:
        JournalError: the journal cannot be written; what was committed is kept.
    """
    plan, note = within_open_files(plan)
    if note is not None:
        _log.warning(note)
    run = _Run(plan, journal, progress or SilentProgress(), stop or asyncio.Event(), again)
    return await run.carry_out()


class _Run:
    """One run's state: who is told, what came out so far."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        progress: Progress,
        stop: asyncio.Event,
        again: ReaskFilter | None,
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._progress = progress
        self._stop = stop
        self._halt = StopSignal(stop)
        self._notices = Notices(progress.notice)
        self._spending = Spending(plan.budget, self._halt, self._notices)
        self._shared = RunContext(
            plan, journal, self._spending, self._halt, self._notices, again=again
        )
        self._pacers = make_pacers(plan, progress.notice)
        self._executor = plan.executor or LocalExecutor()
        self._limit: TimeLimit | None = None
        self._couriers: list[DeliveryWorker] = []
        self._results: dict[tuple[str, str], TaskResult] = {}
        self._errors: list[LlmevalError] = []
        self._n_requests = 0

    async def carry_out(self) -> RunOutcome:
        started = time.monotonic()
        if self._plan.timeouts.run_s is not None:
            end = asyncio.get_running_loop().time() + self._plan.timeouts.run_s
            self._limit = TimeLimit(end, "timeouts.run_s")
        described = self._plan.describe()
        self._plan.observer.before_run(described)
        self._journal.deliveries(
            DeliveryRepository.remember_plan, self._plan.fingerprint, described
        )
        self._couriers = [
            DeliveryWorker(tracker, self._journal, self._plan.redactor)
            for tracker in self._plan.trackers
        ]
        try:
            await self._evaluate_until_stopped()
        finally:
            reports = await self._finish_deliveries()
        if self._spending.error is not None:
            self._errors.append(self._spending.error)
        summary = self._summary(reports, time.monotonic() - started)
        self._plan.observer.after_run(summary)
        return RunOutcome(summary, tuple(self._errors), tuple(reports))

    async def _finish_deliveries(self) -> list[DeliveryReport]:
        """Let every courier finish, also if another one fails."""
        self._shared.process.restore()
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
        """Run all lanes; after a stop requests under way may finish, openings may not."""
        lanes = self._lanes()
        working = {asyncio.create_task(lane.run(self._run_task)): lane for lane in lanes}
        halting = asyncio.create_task(self._halt.wait())
        try:
            left = set(working)
            while left and not halting.done():
                done, _ = await asyncio.wait((*left, halting), return_when=asyncio.FIRST_COMPLETED)
                left -= done
                if any(task.exception() for task in done - {halting}):
                    break
            for task, lane in working.items():
                if halting.done() and lane.is_opening:
                    task.cancel()
            if left and halting.done():
                await asyncio.wait(left, timeout=STOP_GRACE_S)
        finally:
            for one in (halting, *working):
                one.cancel()
            await asyncio.wait((halting, *working))
        for ended in working:
            if not ended.cancelled():
                ended.result()

    def _lanes(self) -> list[EndpointQueue]:
        """Group the models by server, in the order of the plan."""
        groups: dict[str | None, list[ModelTasks]] = {}
        for evaluation in self._plan.evaluations:
            model = ModelHandle(evaluation.model, self._plan, self._progress)
            work = ModelTasks(evaluation, model)
            groups.setdefault(evaluation.model.info.endpoint, []).append(work)
        return [EndpointQueue(endpoint, works) for endpoint, works in groups.items()]

    async def _run_task(self, work: ModelTasks, task: PlannedTask) -> None:
        if self._halt.is_set():
            return
        self._shared.process.restore()  # after the metrics of the task before
        try:
            await self._ask_and_keep(work, task)
        except JournalError:
            raise
        except LlmevalError as err:
            model = work.evaluation.model.name
            err.what = self._plan.redactor(err.what)
            err.where = self._plan.redactor(err.where or f"{model}, {task.key}")
            err.hint = self._plan.redactor(err.hint) if err.hint else None
            if not work.is_given_up:
                self._errors.append(err)
            if isinstance(err, ModelError):
                work.is_given_up = True  # no other task of this model can do better
            if self._plan.fail_fast:
                self._halt.set()

    async def _ask_and_keep(self, work: ModelTasks, task: PlannedTask) -> None:
        planned = work.evaluation.model
        run = TaskRun(
            self._shared,
            work,
            task,
            progress=self._progress,
            run_limit=self._limit,
        )
        pacer = self._pacers[endpoint_of(planned)]
        most = most_let_in(self._plan, [planned])
        try:
            result = await run.run(
                self._executor,
                lambda limit: work.model.job(
                    pacer,
                    most=most,
                    time_limit=limit,
                    availability=work.availability,
                    halt=self._halt,
                ),
            )
        finally:
            self._n_requests += run.n_requests
        if result is None:
            return
        trackers = tuple(tracker.name for tracker in self._plan.trackers)
        await asyncio.to_thread(self._journal.deliveries, DeliveryRepository.save, result, trackers)
        self._results[planned.name, task.key] = result
        self._plan.observer.after_task(result)
        for courier in self._couriers:
            courier.wake()

    def _summary(self, reports: list[DeliveryReport], elapsed_s: float) -> RunSummary:
        planned = [
            (item.model.name, task.key) for item in self._plan.evaluations for task in item.tasks
        ]
        results = tuple(self._results[place] for place in planned if place in self._results)
        has_prices = any(item.model.price is not None for item in self._plan.evaluations)
        return RunSummary(
            results=results,
            n_samples=sum(result.n_samples for result in results),
            n_failed=sum(result.n_failed for result in results),
            n_requests=self._n_requests,
            n_unfinished=len(planned) - len(results),
            n_undelivered=sum(report.n_undelivered for report in reports if report.required),
            interrupted=self._stop.is_set(),
            elapsed_s=elapsed_s,
            n_tokens=self._spending.n_tokens,
            cost=self._spending.cost if has_prices else None,
        )
