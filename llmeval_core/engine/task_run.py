"""One task of one model, from its samples to its result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from llmeval_core.aggregation import aggregate_task
from llmeval_core.contracts import ExecutionRequest, Executor, TimeLimit
from llmeval_core.engine.batches import BatchReader
from llmeval_core.engine.endpoint_queues import ModelTasks
from llmeval_core.engine.failure_policy import FailurePolicy
from llmeval_core.engine.known_results import known_result
from llmeval_core.engine.progress import Progress, SilentMeter, TaskMeter
from llmeval_core.engine.reasking import ReaskFinder
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.sample_stream import SampleStream
from llmeval_core.engine.task_results import make_task_result
from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.journal import ProcessLock, StoredTask
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import TaskResult

_LOCK_POLL_S = 0.2
_MOST_PASSES = 3


@dataclass(frozen=True, slots=True)
class _Begun:
    """A task that is entered in the journal.

    Args:
        stored: the task as the journal keeps it.
        reader: gives its samples.
        finder: finds the answers that are asked for once more; None for none.
        known: the result of an earlier run, which stays if nothing new comes; None for none.
    """

    stored: StoredTask
    reader: BatchReader
    finder: ReaskFinder | None
    known: TaskResult | None


class TaskRun:
    """Runs one task: what the journal has is not asked again, everything else is.

    Args:
        context: what the tasks of a run have in common.
        model_tasks: the model, and what its tasks share.
        task: what to do.
        progress: is shown how it goes on.
        run_limit: when the run must end; None for never.

    Attributes:
        n_requests: requests that ended.
    """

    def __init__(
        self,
        context: RunContext,
        model_tasks: ModelTasks,
        task: PlannedTask,
        *,
        progress: Progress,
        run_limit: TimeLimit | None = None,
    ) -> None:
        plan = context.plan
        self._context = context
        self._model_tasks = model_tasks
        self._model = model = model_tasks.evaluation.model
        self._task = task
        self._progress = progress
        self._run_limit = run_limit
        self._meter: TaskMeter = SilentMeter()
        self._prompter = Prompter(model, task, context.renderers.of(task))
        self._scorer = context.scorers.of(task)
        self._where = f"{model.name}, {task.key}"
        self._failure_policy = FailurePolicy(
            after=plan.give_up_after,
            max_failed=0 if plan.fail_fast else plan.max_samples_failed,
            n_samples=task.n_samples,
            where=self._where,
        )
        self._started_at = time.time()
        self.n_requests = 0

    async def run(
        self, executor: Executor, make_job: Callable[[TimeLimit | None], ExecutionRequest]
    ) -> TaskResult | None:
        """Run the task to its end; None if it was stopped before.

        Raises:
            LlmevalError: the data set, the prompt or the model is wrong, or the journal failed.
        """
        lock = await self._lock()
        if lock is None:
            return None
        result = None
        try:
            self._meter = self._progress.task_started(
                self._model.name, self._task.key, self._task.n_samples
            )
            begun = await asyncio.to_thread(self._begin)
            if isinstance(begun, TaskResult):
                self._model_tasks.availability.answered_before = True
                self._meter.samples_skipped(begun.n_samples)
                self._meter.task_finished(begun, reused=True)
                result = begun
            else:
                result = await self._run_samples(executor, make_job, begun)
            return result
        finally:
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

    def _begin(self) -> _Begun | TaskResult:
        """Enter the task in the journal; or return its result, if nothing is to be done; blocking.

        Raises:
            LlmevalError: the data set or the journal cannot be read.
        """
        journal, task, reask = self._context.journal, self._task, self._context.reask
        known = known_result(journal, self._model.name, task, replace=self._context.plan.replace)
        if known is not None and reask is None:
            return known
        self._prompter.load_pool()
        stored = journal.begin_task(
            task.fingerprint,
            model=self._model.name,
            key=task.key,
            metrics=[planned.name for planned in task.metrics],
            cache_key=task.cache_key,
        )
        finder = None if reask is None else ReaskFinder(reask, task, journal)
        reader = self._reader(stored, finder)
        try:
            reader.prefetch()
        except BaseException:
            reader.close()
            raise
        return _Begun(stored, reader, finder, known)

    def _reader(self, stored: StoredTask, finder: ReaskFinder | None = None) -> BatchReader:
        return BatchReader(
            self._task,
            self._prompter,
            self._context.journal,
            stored,
            cache=self._context.samples,
            finder=finder,
        )

    async def _run_samples(
        self,
        executor: Executor,
        make_job: Callable[[TimeLimit | None], ExecutionRequest],
        begun: _Begun,
    ) -> TaskResult | None:
        """Run what is not finished; where nothing is new, a known result stays as it is."""
        stream = await self._send(executor, make_job, begun.reader)
        if stream is None:
            return None
        if begun.finder is not None:
            self._show_reasked(begun.finder, stream)
        if begun.known is not None and not stream.has_changed:
            self._meter.task_finished(begun.known, reused=True)
            return begun.known
        n_passes = 0
        while True:
            is_last = n_passes == _MOST_PASSES
            result = await asyncio.to_thread(
                self._result, begun.stored, stream, even_if_incomplete=is_last
            )
            if result is not None:
                break
            n_passes += 1
            stream = await self._send(executor, make_job, self._reader(begun.stored))
            if stream is None:
                return None
        self._meter.task_finished(result, reused=False)
        return result

    async def _send(
        self,
        executor: Executor,
        make_job: Callable[[TimeLimit | None], ExecutionRequest],
        reader: BatchReader,
    ) -> SampleStream | None:
        """Bring every sample that is not finished to its end; None if it was stopped before.

        Raises:
            PluginError: the executor ended too early.
        """
        limit = self._time_limit()
        stream = SampleStream(
            self._context,
            self._scorer,
            model_tasks=self._model_tasks,
            reader=reader,
            failure_policy=self._failure_policy,
            meter=self._meter,
            time_limit=limit,
        )
        try:
            with self._plugin_boundary():
                await executor.run(make_job(limit), stream.requests(), stream.finish)
        finally:
            self.n_requests += stream.n_requests
            stream.close()
            reader.close()
        if self._context.stop_signal.is_set() and not stream.is_finished:
            return None
        if not stream.is_finished:
            raise PluginError(
                "the executor ended before every request was answered",
                where=self._where,
                hint="this is a bug in the plugin; run again to go on",
            )
        for warning in reader.warnings():
            self._progress.message(f"{self._model.name} {self._task.key}: warning: {warning}")
        return stream

    def _show_reasked(self, finder: ReaskFinder, stream: SampleStream) -> None:
        """Show what became of asking again."""
        summary = finder.summary(stream.n_replaced, stream.n_kept)
        if summary is not None:
            self._progress.message(f"{self._model.name} {self._task.key}: {summary}")

    def _plugin_boundary(self) -> AbstractContextManager[None]:
        """Turn what an executor of a plugin raises into our error; a bug of our own stays a bug."""
        if self._context.plan.executor is None:
            return nullcontext()
        return wrap_plugin_errors(PluginError, "the executor failed", where=self._where)

    def _time_limit(self) -> TimeLimit | None:
        """Say when this task ends at the latest: by its own limit, or the run's."""
        task_s, of_run = self._context.plan.timeouts.task_s, self._run_limit
        if task_s is None:
            return of_run
        of_task = TimeLimit(asyncio.get_running_loop().time() + task_s, "timeouts.task_s")
        return of_task if of_run is None or of_task.at < of_run.at else of_run

    def _result(
        self, stored: StoredTask, stream: SampleStream, *, even_if_incomplete: bool
    ) -> TaskResult | None:
        """Make the task's result from what the journal has; blocking.

        None if a sample is missing, which is then to be run once more: where an answer was asked
        for again, here or elsewhere, what other samples made of the old one is gone.
        """
        self._context.journal.wait_until_published()
        with self._context.journal.reader() as reader:
            totals = reader.totals(stored.id)
            if totals.n_samples < stream.n_samples and not even_if_incomplete:
                return None
            if totals.n_failed == totals.n_samples and stream.last_failure is not None:
                raise self._failure_policy.error(stream.last_failure, "every sample failed")
            self._failure_policy.ended(totals.n_samples, stream.last_failure)
            metrics = aggregate_task(reader, stored, self._task, n_failed=totals.n_failed)
        return make_task_result(
            self._context.plan,
            self._model,
            self._task,
            totals=totals,
            metrics=metrics,
            started_at=self._started_at,
        )
