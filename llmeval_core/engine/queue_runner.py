"""All queues of a run side by side, until they are done or the run is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llmeval_core.concurrency import cancel_and_wait
from llmeval_core.contracts import MODEL, Executor, TimeLimit
from llmeval_core.engine.endpoint_queues import EndpointQueue, ModelTasks, QueuedTask
from llmeval_core.engine.known_results import KnownResults
from llmeval_core.engine.progress import Progress
from llmeval_core.engine.rate_limiters import make_rate_limiters
from llmeval_core.engine.result_saver import ResultSaver
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.run_models import RunModel, RunModels
from llmeval_core.engine.task_run import TaskRun
from llmeval_core.errors import JournalError, LlmevalError, ModelError
from llmeval_core.plan import Plan, PlannedTask
from llmeval_core.records import TaskResult

STOP_GRACE_S = 10.0
"""How long requests under way may finish after the user stopped the run, seconds."""


class QueueRunner:
    """Runs the tasks of a plan: queues side by side, each task to its result.

    What the user must change about a task ends that task, or its model; what is wrong with the
    journal, or with us, ends the run.

    Args:
        context: what the tasks of a run have in common.
        executor: where requests are answered.
        progress: is shown how it goes on.
        saver: takes the results.
        errors: where it adds what the user must change.
    """

    def __init__(
        self,
        context: RunContext,
        executor: Executor,
        *,
        progress: Progress,
        saver: ResultSaver,
        errors: list[LlmevalError],
    ) -> None:
        self._context = context
        self._progress = progress
        self._saver = saver
        self._errors = errors
        self._limit = _run_limit(context.plan)
        self._models = RunModels(
            context,
            progress=progress,
            executor=executor,
            rate_limiters=make_rate_limiters(context.plan, progress.message),
            run_limit=self._limit,
        )
        self._n_requests = 0

    @property
    def n_requests(self) -> int:
        """Requests that ended."""
        return self._n_requests + self._models.n_requests

    async def run(self) -> None:
        """Run all queues; after a stop requests under way may finish, openings may not."""
        queues = self._queues()
        running = {asyncio.create_task(queue.run(self._run_queued)): queue for queue in queues}
        stopping = asyncio.create_task(self._context.stop_signal.wait())
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
        for evaluation in self._context.plan.evaluations:
            model = self._models.of(evaluation.model)
            known = KnownResults(self._context.journal, evaluation)
            tasks = ModelTasks(evaluation, model, known)
            groups.setdefault(evaluation.model.info.endpoint, []).append(tasks)
        # An answer that is asked for again must not meet what another task makes of the old one.
        one_by_one = self._context.reask is not None
        return [
            EndpointQueue(endpoint, models, one_by_one=one_by_one)
            for endpoint, models in groups.items()
        ]

    async def _run_queued(self, queued: QueuedTask) -> TaskRun | None:
        """Run a task, and close the models of which it was the last one; see `RunTask`."""
        planned, task = queued.model_tasks.evaluation.model, queued.task
        models = self._models.of_task(self._context.plan, planned, task)
        put_away: TaskRun | None = None
        try:
            async with self._models.turn(planned, task, is_second=queued.is_second):
                put_away = await self._run_task(queued, models)
        finally:
            for role, model in models.items():
                if not queued.is_second if role == MODEL else put_away is None:
                    await model.use_ended()
        return put_away

    async def _run_task(self, queued: QueuedTask, models: Mapping[str, RunModel]) -> TaskRun | None:
        """Run a task; what the user must change about it is noted. See `RunTask`."""
        model_tasks, task = queued.model_tasks, queued.task
        if self._context.stop_signal.is_set() or model_tasks.has_failed:
            return None
        self._context.process.restore()  # after the metrics of the task before
        try:
            if self._context.reask is None and (known := await model_tasks.known.of(task)):
                self._reuse(model_tasks, task, known)
            else:
                return await self._run_and_save(queued, models)
        except JournalError:
            raise
        except LlmevalError as err:
            self._note(err, model_tasks, task)
        return None

    def _note(self, err: LlmevalError, model_tasks: ModelTasks, task: PlannedTask) -> None:
        """Note what ended a task; a model that cannot be used ends all of its tasks."""
        redactor = self._context.plan.redactor
        err.what = redactor(err.what)
        err.where = redactor(err.where or f"{model_tasks.evaluation.model.name}, {task.key}")
        err.hint = redactor(err.hint) if err.hint else None
        if not model_tasks.has_failed:
            self._errors.append(err)
        if isinstance(err, ModelError):
            model_tasks.has_failed = True  # no other task of this model can do better
        if self._context.plan.fail_fast:
            self._context.stop_signal.set()

    def _reuse(self, model_tasks: ModelTasks, task: PlannedTask, known: TaskResult) -> None:
        """Take the result of an earlier run for that of a task."""
        model_tasks.model.availability.answered_before = True
        meter = self._progress.task_started(known.model, task.key, task.n_samples)
        meter.samples_skipped(known.n_samples)
        meter.task_finished(known, reused=True)
        self._saver.save(known, is_new=False)

    async def _run_and_save(
        self, queued: QueuedTask, models: Mapping[str, RunModel]
    ) -> TaskRun | None:
        """Run a task and save its result; see `RunTask`."""
        run = queued.put_away or TaskRun(
            self._context,
            queued.model_tasks.evaluation.model,
            queued.task,
            models=models,
            progress=self._progress,
            run_limit=self._limit,
        )
        try:
            result = await run.run()
        finally:
            self._n_requests += run.n_requests
        if result is not None:
            self._saver.save(result, is_new=True)
        return run if run.is_put_away else None


def _run_limit(plan: Plan) -> TimeLimit | None:
    """Say when a run that begins now must end; None for never."""
    run_s = plan.timeouts.run_s
    if run_s is None:
        return None
    return TimeLimit(asyncio.get_running_loop().time() + run_s, "timeouts.run_s")
