"""One task of one model, from its samples to its result."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from filelock import FileLock

from llmeval_core import __version__
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
from llmeval_core.engine.spending import cost_of
from llmeval_core.errors import PluginError, wrap_plugin_errors
from llmeval_core.journal import JournalQueries, StoredTask, TaskTotals
from llmeval_core.naming import Json
from llmeval_core.plan import PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import TaskResult
from llmeval_core.scoring import Scorer

_LOCK_POLL_S = 0.2
_MOST_PASSES = 3


class TaskRun:
    """Runs one task: what the journal has is not asked again, everything else is.

    Args:
        shared: what the tasks of a run have in common.
        work: the model, and what its tasks share.
        task: what to do.
        progress: who is told.
        run_limit: when the run must end; None for never.

    Attributes:
        n_requests: requests that ended.
    """

    def __init__(
        self,
        shared: RunContext,
        work: ModelTasks,
        task: PlannedTask,
        *,
        progress: Progress,
        run_limit: TimeLimit | None = None,
    ) -> None:
        plan = shared.plan
        self._shared = shared
        self._work = work
        self._model = model = work.evaluation.model
        self._task = task
        self._progress = progress
        self._run_limit = run_limit
        self._meter: TaskMeter = SilentMeter()
        self._prompter = Prompter(model, task)
        self._scorer = Scorer(task)
        self._where = f"{model.name}, {task.key}"
        self._give_up = FailurePolicy(
            after=plan.give_up_after,
            most_failed=0 if plan.fail_fast else plan.max_samples_failed,
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
        try:
            self._meter = self._progress.task_started(
                self._model.name, self._task.key, self._task.n_samples
            )
            known = await asyncio.to_thread(
                known_result, self._shared.journal, self._task, replace=self._shared.plan.replace
            )
            if known is not None and self._shared.again is not None:
                return await self._run_samples(executor, make_job, known)
            if known is not None:
                self._work.availability.answered_before = True
                self._meter.samples_skipped(known.n_samples)
                self._meter.task_finished(known, reused=True)
                return known
            return await self._run_samples(executor, make_job, None)
        finally:
            lock.release()

    async def _lock(self) -> FileLock | None:
        """Wait until no other process asks the same requests; None if stopped meanwhile."""
        told = False
        while not self._shared.halt.is_set():
            lock = self._shared.journal.try_lock(f"task-{self._task.cache_key}")
            if lock is not None:
                return lock
            if not told:
                self._progress.waiting(self._model.name, self._task.key)
                told = True
            await asyncio.sleep(_LOCK_POLL_S)
        return None

    async def _run_samples(
        self,
        executor: Executor,
        make_job: Callable[[TimeLimit | None], ExecutionRequest],
        known: TaskResult | None,
    ) -> TaskResult | None:
        """Run what is not finished; where nothing is new, a known result stays as it is."""
        await asyncio.to_thread(self._prompter.load_pool)
        stored = await asyncio.to_thread(
            self._shared.journal.begin_task,
            self._task.fingerprint,
            model=self._model.name,
            key=self._task.key,
            metrics=[planned.name for planned in self._task.metrics],
            cache_key=self._task.cache_key,
        )
        finder = await asyncio.to_thread(self._again_finder)
        stream = await self._ask(executor, make_job, stored, finder)
        if stream is None:
            return None
        if finder is not None:
            self._tell(finder, stream)
        if known is not None and not stream.has_changed:
            self._meter.task_finished(known, reused=True)
            return known
        for _ in range(_MOST_PASSES):
            if await asyncio.to_thread(self._has_all, stored, stream):
                break
            stream = await self._ask(executor, make_job, stored, None)
            if stream is None:
                return None
        result = await asyncio.to_thread(self._result, stored, stream)
        self._meter.task_finished(result, reused=False)
        return result

    def _has_all(self, stored: StoredTask, stream: SampleStream) -> bool:
        """Whether every sample stands in the journal.

        Where an answer was asked for once more, here or elsewhere, what other samples made of the
        old one is gone.
        """
        return self._shared.journal.read(JournalQueries.n_finished, stored.id) >= stream.n_samples

    async def _ask(
        self,
        executor: Executor,
        make_job: Callable[[TimeLimit | None], ExecutionRequest],
        stored: StoredTask,
        finder: ReaskFinder | None,
    ) -> SampleStream | None:
        """Bring every sample that is not finished to its end; None if it was stopped before.

        Raises:
            PluginError: the executor ended too early.
        """
        reader = BatchReader(self._task, self._prompter, self._shared.journal, stored, again=finder)
        limit = self._time_limit()
        stream = SampleStream(
            self._shared,
            self._scorer,
            work=self._work,
            reader=reader,
            give_up=self._give_up,
            meter=self._meter,
            time_limit=limit,
        )
        try:
            with self._border():
                await executor.run(make_job(limit), stream.requests(), stream.finish)
        finally:
            self.n_requests += stream.n_requests
            stream.close()
            reader.close()
            await self._shared.journal.flush()
        if self._shared.halt.is_set() and not stream.is_finished:
            return None
        if not stream.is_finished:
            raise PluginError(
                "the executor ended before every request was answered",
                where=self._where,
                hint="this is a bug in the plugin; run again to go on",
            )
        for doubt in reader.doubts():
            self._progress.notice(f"{self._model.name} {self._task.key}: warning: {doubt}")
        return stream

    def _again_finder(self) -> ReaskFinder | None:
        again = self._shared.again
        return None if again is None else ReaskFinder(again, self._task, self._shared.journal)

    def _tell(self, finder: ReaskFinder, stream: SampleStream) -> None:
        """Tell what became of asking again."""
        told = finder.told(stream.n_replaced, stream.n_kept)
        if told is not None:
            self._progress.notice(f"{self._model.name} {self._task.key}: {told}")

    def _border(self) -> AbstractContextManager[None]:
        """Call an executor of a plugin in this block; a bug of our own stays a bug."""
        if self._shared.plan.executor is None:
            return nullcontext()
        return wrap_plugin_errors(PluginError, "the executor failed", where=self._where)

    def _time_limit(self) -> TimeLimit | None:
        """Say when this task ends at the latest: by its own limit, or the run's."""
        task_s, of_run = self._shared.plan.timeouts.task_s, self._run_limit
        if task_s is None:
            return of_run
        of_task = TimeLimit(asyncio.get_running_loop().time() + task_s, "timeouts.task_s")
        return of_task if of_run is None or of_task.at < of_run.at else of_run

    def _result(self, stored: StoredTask, stream: SampleStream) -> TaskResult:
        """Make the task's result from what the journal has; blocking."""
        with self._shared.journal.reader() as reader:
            totals = reader.totals(stored.id)
            if totals.n_failed == totals.n_samples and stream.last_failure is not None:
                raise self._give_up.error(stream.last_failure, "every sample failed")
            self._give_up.ended(totals.n_samples, stream.last_failure)
            metrics = aggregate_task(reader, stored, self._task, n_failed=totals.n_failed)
        return TaskResult(
            id=uuid.uuid4().hex,
            model=self._model.name,
            task=self._task.key,
            dataset=self._task.dataset_name,
            dataset_fingerprint=self._task.dataset_fingerprint,
            n_shots=self._task.n_shots,
            task_fingerprint=self._task.fingerprint,
            plan_fingerprint=self._shared.plan.fingerprint,
            metrics=metrics,
            n_samples=totals.n_samples,
            n_failed=totals.n_failed,
            outcomes=totals.outcomes,
            n_prompt_tokens=totals.n_prompt_tokens,
            n_completion_tokens=totals.n_completion_tokens,
            n_reasoning_tokens=totals.n_reasoning_tokens,
            cost=self._cost(totals),
            started_at=self._started_at,
            finished_at=time.time(),
            settings=self._settings(totals),
            llmeval_version=__version__,
            n_total=self._n_total(totals.n_samples),
            variant=self._task.variant,
            replaces=self._shared.plan.replace,
        )

    def _settings(self, totals: TaskTotals) -> dict[str, Json]:
        """Say how the task was really asked."""
        settings = dict(self._task.settings)
        if totals.not_sent:
            settings["not_sent"] = list(totals.not_sent)
        return settings

    def _n_total(self, n_samples: int) -> int | None:
        """Say how many samples the data set has; one that was read to its end tells that."""
        limit = self._task.limit
        if limit is None or n_samples < limit:
            return n_samples
        return self._task.n_total

    def _cost(self, totals: TaskTotals) -> float | None:
        """Price the task's answers, whenever they were given; None if that is not known."""
        price = self._model.price
        if price is None or totals.n_prompt_tokens is None:
            return None
        return cost_of(price, totals.n_prompt_tokens, totals.n_completion_tokens or 0)
