"""One task of one model, from its samples to its result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from llmeval_core.aggregation import aggregate_task
from llmeval_core.contracts import MODEL, TimeLimit
from llmeval_core.engine.batches import BatchReader
from llmeval_core.engine.failure_policy import FailurePolicy
from llmeval_core.engine.item_source import ItemSource
from llmeval_core.engine.progress import Progress, SilentMeter, TaskMeter
from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.engine.request_ledger import LedgerView
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.run_models import RunModel
from llmeval_core.engine.sample_finisher import SampleFinisher
from llmeval_core.engine.task_passes import (
    ItemPass,
    PassEnd,
    StreamPass,
    n_open_items,
    role_services,
)
from llmeval_core.engine.task_results import make_task_result
from llmeval_core.engine.task_sources import BegunTask, Source, TaskSources
from llmeval_core.journal import ProcessLock, StoredTask
from llmeval_core.plan import PlannedModel, PlannedTask
from llmeval_core.records import Failure, TaskResult

_LOCK_POLL_S = 0.2
_MOST_PASSES = 3


class TaskRun:
    """Runs one task: what the journal has is not asked again, everything else is.

    Args:
        context: what the tasks of a run have in common.
        model: the model that is evaluated.
        task: what to do.
        models: the models that the task asks, by role; the evaluated one among them.
        progress: is shown how it goes on.
        run_limit: when the run must end; None for never.

    Attributes:
        n_requests: requests that ended, besides those of services.
        is_put_away: whether it can go on only when its model is closed: run it once more then.
    """

    def __init__(
        self,
        context: RunContext,
        model: PlannedModel,
        task: PlannedTask,
        *,
        models: Mapping[str, RunModel],
        progress: Progress,
        run_limit: TimeLimit | None = None,
    ) -> None:
        plan = context.plan
        self._context = context
        self._model = model
        self._task = task
        self._models = models
        self._progress = progress
        self._run_limit = run_limit
        self._is_second = False
        self._failed: set[int] = set()  # before it was put away; nothing can be asked of them then
        self._last_failure: Failure | None = None
        self._meter: TaskMeter = SilentMeter()
        self._scorer = context.scorers.of(task)
        self._sources = TaskSources(context, model, task, self._scorer)
        self._where = f"{model.name}, {task.key}"
        self._failure_policy = FailurePolicy(
            after=plan.give_up_after,
            max_failed=0 if plan.fail_fast else plan.max_samples_failed,
            n_samples=task.n_samples,
            where=self._where,
        )
        self._started_at = time.time()
        self.n_requests = 0
        self.is_put_away = False

    async def run(self) -> TaskResult | None:
        """Run the task to its end; None if it was stopped or put away before.

        Raises:
            LlmevalError: the data set, the prompt or the model is wrong, or the journal failed.
        """
        self._is_second, self.is_put_away = self.is_put_away, False
        lock = await self._lock()
        if lock is None:
            return None
        result = None
        evaluated = self._models[MODEL]
        # Opened before the first look into the journal: what is answered from now on is seen.
        ledger = evaluated.ledger.view(looks_first=True)
        try:
            self._meter = self._progress.task_started(
                self._model.name, self._task.key, self._task.n_samples
            )
            begun = await asyncio.to_thread(self._sources.begin, left_out=self._failed)
            if isinstance(begun, TaskResult):
                evaluated.availability.answered_before = True
                self._meter.samples_skipped(begun.n_samples)
                self._meter.task_finished(begun, reused=True)
                result = begun
            else:
                result = await self._run_samples(begun, ledger)
            return result
        finally:
            ledger.close()
            try:
                if result is None:  # what is finished is for the next process that gets the lock
                    await self._context.journal.publish()
            finally:
                lock.release()

    async def _lock(self) -> ProcessLock | None:
        """Wait until no other process asks the same requests; None if stopped meanwhile."""
        is_shown = False
        while not self._context.stop_signal.is_set():
            lock = self._context.journal.try_lock(f"task-{self._task.cache_key}")
            if lock is not None:
                return lock
            if not is_shown:
                self._progress.waiting(self._model.name, self._task.key)
                is_shown = True
            await asyncio.sleep(_LOCK_POLL_S)
        return None

    async def _run_samples(self, begun: BegunTask, ledger: LedgerView) -> TaskResult | None:
        """Run what is not finished; where nothing is new, a known result stays as it is."""
        finisher = SampleFinisher(
            self._context,
            begun.stored,
            self._scorer,
            failure_policy=self._failure_policy,
            meter=self._meter,
            last_failure=self._last_failure,
        )
        try:
            return await self._run_passes(begun, finisher, ledger)
        finally:
            self._last_failure = finisher.last_failure

    async def _run_passes(
        self, begun: BegunTask, finisher: SampleFinisher, ledger: LedgerView
    ) -> TaskResult | None:
        """Pass over the samples until none is missing."""
        source, waits = begun.source, False
        if isinstance(source, ItemSource) and begun.finder is not None:
            again = self._pass(source, finisher, ledger)
            if await self._finishes(again):
                self._show_reasked(begun.finder, again)
            elif not self.is_put_away:
                return None
            waits = self.is_put_away
            source = await self._reopened(begun)
        for n_passes in range(_MOST_PASSES + 1):
            one = self._pass(source, finisher, ledger)
            is_finished = await self._finishes(one)
            self.is_put_away |= waits  # for a judge, as what was asked again does
            if self.is_put_away or not is_finished:
                return None
            if n_passes == 0 and isinstance(one, StreamPass) and begun.finder is not None:
                self._show_reasked(begun.finder, one)
            if isinstance(one, ItemPass) and one.is_to_be_repeated and n_passes < _MOST_PASSES:
                source = await self._reopened(begun)
                continue
            if n_passes == 0 and begun.known is not None and not finisher.has_changed:
                self._meter.task_finished(begun.known, reused=True)
                return begun.known
            result = await asyncio.to_thread(
                self._result,
                begun.stored,
                n_samples=one.n_samples,
                last_failure=finisher.last_failure,
                even_if_incomplete=n_passes == _MOST_PASSES,
            )
            if result is not None:
                self._meter.task_finished(result, reused=False)
                return result
            source = await self._reopened(begun)
        return None

    async def _reopened(self, begun: BegunTask) -> Source:
        """Open the items or samples that are not finished, from the first one."""
        return await asyncio.to_thread(self._sources.open, begun.stored, left_out=self._failed)

    def _pass(
        self,
        source: Source,
        finisher: SampleFinisher,
        ledger: LedgerView,
    ) -> StreamPass | ItemPass:
        if isinstance(source, BatchReader):
            return StreamPass(
                self._context,
                self._models[MODEL],
                reader=source,
                finisher=finisher,
                ledger=ledger,
                where=self._where,
                time_limit=self._time_limit(),
            )
        plan, task = self._context.plan, self._task
        return ItemPass(
            self._context,
            self._sources.ready_task(),
            role_services(plan, task, self._models, is_second=self._is_second),
            source=source,
            finisher=finisher,
            where=self._where,
            n_at_once=n_open_items(self._models),
            time_limit=self._time_limit(),
        )

    async def _finishes(self, one: StreamPass | ItemPass) -> bool:
        """Run a pass; say whether every sample ended."""
        try:
            end = await one.run()
        finally:
            self.n_requests += one.n_requests
        self.is_put_away = end is PassEnd.PUT_AWAY
        if isinstance(one, ItemPass) and self.is_put_away:
            self._failed |= one.failed
        if end is not PassEnd.FINISHED:
            return False
        for warning in one.warnings():
            self._progress.message(f"{self._model.name} {self._task.key}: warning: {warning}")
        return True

    def _show_reasked(self, finder: ReaskFinder, one: StreamPass | ItemPass) -> None:
        """Show what became of asking again."""
        if isinstance(one, StreamPass):
            summary = finder.summary(one.stream.n_replaced, one.stream.n_kept)
        else:
            summary = finder.summary(one.n_replaced, one.n_kept, of="samples")
        if summary is not None:
            self._progress.message(f"{self._model.name} {self._task.key}: {summary}")

    def _time_limit(self) -> TimeLimit | None:
        """Say when this task ends at the latest: by its own limit, or the run's."""
        task_s, of_run = self._context.plan.timeouts.task_s, self._run_limit
        if task_s is None:
            return of_run
        of_task = TimeLimit(asyncio.get_running_loop().time() + task_s, "timeouts.task_s")
        return of_task if of_run is None or of_task.at < of_run.at else of_run

    def _result(
        self,
        stored: StoredTask,
        *,
        n_samples: int,
        last_failure: Failure | None,
        even_if_incomplete: bool,
    ) -> TaskResult | None:
        """Make the task's result from what the journal has; blocking.

        None if a sample is missing, which is then to be run once more: where an answer was asked
        for again, here or elsewhere, what other samples made of the old one is gone.
        """
        self._context.journal.wait_until_published()
        with self._context.journal.reader() as reader:
            totals = reader.totals(stored.id)
            if totals.n_samples < n_samples and not even_if_incomplete:
                return None
            if not totals.n_scored and last_failure is not None:
                raise self._failure_policy.error(last_failure, "every sample failed")
            self._failure_policy.ended(totals.n_samples, last_failure)
            metrics = aggregate_task(reader, stored, self._task)
        return make_task_result(
            self._context.plan,
            self._model,
            self._task,
            totals=totals,
            n_read=n_samples,
            metrics=metrics,
            started_at=self._started_at,
        )
