"""One task of one model, from its samples to its result."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from filelock import FileLock

from llmeval_core import __version__
from llmeval_core.aggregation import aggregate_task
from llmeval_core.contracts import Executor, ModelJob
from llmeval_core.engine.chunks import ChunkReader
from llmeval_core.engine.giving_up import GiveUp
from llmeval_core.engine.progress import Progress, SilentMeter, TaskMeter
from llmeval_core.engine.source import Prepared
from llmeval_core.errors import PluginError
from llmeval_core.journal import Journal, Reader, StoredTask
from llmeval_core.plan import Plan, PlannedModel, PlannedTask
from llmeval_core.prompting import Prompter
from llmeval_core.records import Failure, Generation, Request, SampleResult, TaskResult
from llmeval_core.scoring import Scorer

_LOCK_POLL_S = 0.2


class TaskRun:
    """Runs one task: what the journal has is not asked again, everything else is.

    Args:
        plan, model, task: what to do.
        journal: where it is kept.
        progress: who is told.
        stop: when set, no more requests are sent.
    """

    def __init__(
        self,
        plan: Plan,
        model: PlannedModel,
        task: PlannedTask,
        *,
        journal: Journal,
        progress: Progress,
        stop: asyncio.Event,
    ) -> None:
        self._plan = plan
        self._model = model
        self._task = task
        self._journal = journal
        self._progress = progress
        self._meter: TaskMeter = SilentMeter()
        self._stop = stop
        self._prompter = Prompter(model, task)
        self._scorer = Scorer(task)
        self._scores_slowly = any(
            inspect.iscoroutinefunction(planned.metric.score) for planned in task.metrics
        )
        self._where = f"{model.name}, {task.key}"
        self._give_up = GiveUp(after=plan.give_up_after, where=self._where)
        self._under_way: dict[str, list[Prepared]] = {}
        self._all_sent = False
        self._last_failure: Failure | None = None
        self._started_at = time.time()
        self.n_requests = 0

    async def run(self, executor: Executor, job: ModelJob) -> TaskResult | None:
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
            known = await asyncio.to_thread(self._known_result)
            if known is not None:
                self._meter.samples_skipped(known.n_samples)
                self._meter.task_finished(known, reused=True)
                return known
            return await self._run_samples(executor, job)
        finally:
            lock.release()

    async def _lock(self) -> FileLock | None:
        """Wait until no other process asks the same requests; None if stopped meanwhile."""
        told = False
        while not self._stop.is_set():
            lock = self._journal.try_lock(f"task-{self._task.requests_fingerprint}")
            if lock is not None:
                return lock
            if not told:
                self._progress.waiting(self._model.name, self._task.key)
                told = True
            await asyncio.sleep(_LOCK_POLL_S)
        return None

    def _known_result(self) -> TaskResult | None:
        """Find the result of an earlier, complete run of this very task.

        If something else was measured under the same key since, it counts as a new result, so
        that trackers show again what was asked for last.
        """
        known = self._journal.read(Reader.result_of, self._task.fingerprint)
        if known is None or known.n_failed:
            return None
        latest = self._journal.read(Reader.latest_result, known.model, known.task)
        if latest is None or latest.id == known.id:
            return known
        return known.model_copy(update={"id": uuid.uuid4().hex, "finished_at": time.time()})

    async def _run_samples(self, executor: Executor, job: ModelJob) -> TaskResult | None:
        await asyncio.to_thread(self._prompter.load_pool)
        stored = await asyncio.to_thread(
            self._journal.begin_task,
            self._task.fingerprint,
            model=self._model.name,
            key=self._task.key,
        )
        reader = ChunkReader(self._task, self._prompter, self._journal, stored)
        try:
            await executor.run(job, self._requests(reader, stored), self._finisher(stored))
        finally:
            reader.close()
            await self._journal.flush()
        if self._stop.is_set():
            return None
        if self._under_way or not self._all_sent:
            raise PluginError(
                "the executor ended before every request was answered",
                where=self._where,
                hint="this is a bug in the plugin; run again to go on",
            )
        result = await asyncio.to_thread(self._result, stored)
        self._meter.task_finished(result, reused=False)
        return result

    async def _requests(self, reader: ChunkReader, stored: StoredTask) -> AsyncIterator[Request]:
        """Stream what must be asked; what the journal has is scored on the way."""
        while not self._stop.is_set():
            chunk = await asyncio.to_thread(reader.read)
            if chunk is None:
                self._all_sent = True
                return
            answers = chunk.answers
            if chunk.n_done:
                self._meter.samples_skipped(chunk.n_done)
            to_ask: list[tuple[Prepared, Request]] = []
            known: list[Prepared] = []
            for item in chunk.ready:
                if item.request is None or item.request.fingerprint in answers:
                    known.append(item)
                else:
                    to_ask.append((item, item.request))
            await self._finish_known(known, answers, stored)
            for item, request in to_ask:
                if self._stop.is_set():
                    return
                key = request.fingerprint
                if key in self._under_way:
                    self._under_way[key].append(item)
                elif key in chunk.again and await self._find_again(key, answers):
                    await self._finish_known([item], answers, stored)
                else:
                    self._under_way[key] = [item]
                    yield request

    async def _find_again(self, key: str, answers: dict[str, Generation]) -> bool:
        """Look for an answer that came after the chunk was looked up; True if there is one."""
        if key not in answers:
            await self._journal.flush()
            answers |= await asyncio.to_thread(self._journal.read, Reader.generations, [key])
        return key in answers

    async def _finish_known(
        self, known: list[Prepared], answers: dict[str, Generation], stored: StoredTask
    ) -> None:
        finishing = [
            self._finish_one(
                stored,
                item,
                item.failure or answers[_key(item)],
                from_journal=item.failure is None,
            )
            for item in known
        ]
        if self._scores_slowly:
            await asyncio.gather(*finishing)
        else:
            for finish in finishing:
                await finish

    def _finisher(
        self, stored: StoredTask
    ) -> Callable[[Request, Generation | Failure], Awaitable[None]]:
        async def finish(request: Request, answer: Generation | Failure) -> None:
            self.n_requests += 1
            for item in self._under_way[request.fingerprint]:  # may grow meanwhile
                await self._finish_one(stored, item, answer, from_journal=False)
            del self._under_way[request.fingerprint]

        return finish

    async def _finish_one(
        self,
        stored: StoredTask,
        item: Prepared,
        answer: Generation | Failure,
        *,
        from_journal: bool,
    ) -> None:
        """Score one answer, journal it, and tell."""
        outcome = (
            await self._scorer.score(item.sample, answer)
            if isinstance(answer, Generation)
            else answer
        )
        failure = outcome if isinstance(outcome, Failure) else None
        if failure is not None:
            failure = Failure(failure.kind, self._plan.redactor(failure.message))
        result = SampleResult(
            index=item.index,
            sample=item.sample,
            request=item.request,
            generation=answer if isinstance(answer, Generation) else None,
            scores=outcome if not isinstance(outcome, Failure) else {},
            failure=failure,
            from_journal=from_journal,
        )
        await self._journal.record(stored.id, result)
        self._meter.sample_finished(result, n_under_way=len(self._under_way))
        if failure is None:
            self._give_up.success()
        else:
            self._last_failure = failure
            self._give_up.failure(failure)

    def _result(self, stored: StoredTask) -> TaskResult:
        """Make the task's result from what the journal has; blocking."""
        with self._journal.reader() as reader:
            totals = reader.totals(stored.id)
            if totals.n_failed == totals.n_samples and self._last_failure is not None:
                raise self._give_up.error(self._last_failure, "every sample failed")
            metrics = aggregate_task(reader, stored.id, self._task)
        return TaskResult(
            id=uuid.uuid4().hex,
            model=self._model.name,
            task=self._task.key,
            dataset=self._task.dataset_name,
            dataset_fingerprint=self._task.dataset_fingerprint,
            n_shots=self._task.n_shots,
            task_fingerprint=self._task.fingerprint,
            plan_fingerprint=self._plan.fingerprint,
            metrics=metrics,
            n_samples=totals.n_samples,
            n_failed=totals.n_failed,
            n_prompt_tokens=totals.n_prompt_tokens,
            n_completion_tokens=totals.n_completion_tokens,
            started_at=self._started_at,
            finished_at=time.time(),
            settings=dict(self._task.settings),
            llmeval_version=__version__,
        )


def _key(item: Prepared) -> str:
    return item.request.fingerprint if item.request is not None else ""
