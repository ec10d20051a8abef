"""One pass over the samples of a task: as a stream of single requests, or item by item."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Mapping

from llmeval_core.contracts import MODEL, Task, TimeLimit
from llmeval_core.engine.batches import BatchReader
from llmeval_core.engine.deferred_roles import deferred_roles
from llmeval_core.engine.executor_boundary import ended_too_early, executor_boundary
from llmeval_core.engine.item_ask import ItemAsk, RoleService
from llmeval_core.engine.item_run import ItemEnd, ItemRun
from llmeval_core.engine.item_source import ItemSource, NumberedItem
from llmeval_core.engine.model_service import ModelService
from llmeval_core.engine.request_ledger import LedgerView
from llmeval_core.engine.run_context import RunContext
from llmeval_core.engine.run_models import RunModel
from llmeval_core.engine.sample_finisher import SampleFinisher
from llmeval_core.engine.sample_stream import SampleStream
from llmeval_core.plan import Plan, PlannedTask
from llmeval_core.reasoning import ReasoningFinder
from llmeval_core.scoring import failure_of, split_scores

_ITEMS_A_WORKER = 2
"""Open items for each request that may be under way: while some wait, others ask."""


class PassEnd(enum.Enum):
    """How a pass ended."""

    FINISHED = "every sample ended"
    STOPPED = "the run was stopped before"
    PUT_AWAY = "some samples wait for a model that cannot be open beside another one"


class StreamPass:
    """A pass over the samples of a plain task: each is one request, and metrics only compute.

    Args:
        context: what the tasks of a run have in common.
        model: the model that is evaluated.
        reader: gives the samples; closed at the end.
        finisher: scores and keeps samples.
        ledger: what the task sees of the model's requests.
        where: the task, for messages.
        time_limit: when all that is not finished has failed; None for never.
    """

    def __init__(
        self,
        context: RunContext,
        model: RunModel,
        *,
        reader: BatchReader,
        finisher: SampleFinisher,
        ledger: LedgerView,
        where: str,
        time_limit: TimeLimit | None,
    ) -> None:
        self._context = context
        self._model = model
        self._reader = reader
        self._where = where
        self._time_limit = time_limit
        self.stream = SampleStream(
            context,
            model=model,
            ledger=ledger,
            reader=reader,
            finisher=finisher,
            time_limit=time_limit,
        )

    @property
    def n_samples(self) -> int:
        """Samples that were read."""
        return self._reader.n_samples

    @property
    def n_requests(self) -> int:
        """Requests that ended."""
        return self.stream.n_requests

    def warnings(self) -> tuple[str, ...]:
        """Say what looks wrong with the samples, a line each."""
        return self._reader.warnings()

    async def run(self) -> PassEnd:
        """Bring every sample that is not finished to its end.

        Raises:
            PluginError: the executor ended too early.
        """
        stream = self.stream
        try:
            with executor_boundary(self._model.executor, self._where):
                job = self._model.job(self._time_limit)
                await self._model.executor.run(job, stream.requests(), stream.finish)
        finally:
            stream.close()
            self._reader.close()
        if stream.is_finished:
            return PassEnd.FINISHED
        if self._context.stop_signal.is_set():
            return PassEnd.STOPPED
        raise ended_too_early(self._where)


class ItemPass:
    """A pass over the items of a task that asks as it likes.

    Args:
        context: what the tasks of a run have in common.
        task: what is asked, and how it is scored.
        roles: the models that it asks, by role.
        source: gives the items; closed at the end.
        finisher: keeps items.
        where: the task, for messages.
        n_at_once: items that are open at once at most.
        time_limit: when all that is not finished has failed; None for never.

    Attributes:
        n_replaced: items that were asked again and ended well; `n_kept` did not, and what the
            journal has of them stays.
        failed: the places of items that lack a score.
    """

    n_requests = 0  # the services count them

    def __init__(
        self,
        context: RunContext,
        task: Task,
        roles: Mapping[str, RoleService],
        *,
        source: ItemSource,
        finisher: SampleFinisher,
        where: str,
        n_at_once: int,
        time_limit: TimeLimit | None,
    ) -> None:
        self._context = context
        self._source = source
        self._roles = roles
        self.n_replaced = self.n_kept = 0
        self.failed: set[int] = set()
        self._finisher = finisher
        self._time_limit = time_limit
        self._n_skipped = 0
        self._services = [role.service for role in roles.values() if not role.is_deferred]
        self._where = where
        self._run = ItemRun(
            task,
            begin_ask=self._begin_ask,
            read=self._read,
            finish=self._finish,
            stop_signal=context.stop_signal,
            n_at_once=n_at_once,
            time_limit=time_limit,
        )

    @property
    def n_samples(self) -> int:
        """Items that were read."""
        return self._source.n_items

    @property
    def is_to_be_repeated(self) -> bool:
        """Whether items are to be run once more, because an answer was replaced meanwhile."""
        return bool(self._run.n_outdated)

    def warnings(self) -> tuple[str, ...]:
        """Say nothing: how a ready-made task asks is its own affair."""
        return ()

    async def run(self) -> PassEnd:
        """Bring every item that is not finished, and not put away, to its end."""
        entered: list[ModelService] = []
        has_failed = True
        try:
            for service in self._services:
                await service.enter()
                entered.append(service)
            await self._run.run()
            has_failed = False
        finally:
            self._source.close()
            for service in entered:
                await service.leave(at_once=has_failed or self._is_over_time())
        self._show_skipped()
        if self._run.was_cut_off:
            return PassEnd.STOPPED
        return PassEnd.PUT_AWAY if self._run.n_put_away else PassEnd.FINISHED

    def _begin_ask(self, sample_id: str, put_away: Callable[[], None]) -> ItemAsk:
        def put_away_and_noted() -> None:
            self._finisher.put_away()
            put_away()

        return ItemAsk(
            self._roles,
            sample_id,
            where=self._where,
            put_away=put_away_and_noted,
            newer_than=self._source.newer_than,
        )

    def _is_over_time(self) -> bool:
        limit = self._time_limit
        return limit is not None and asyncio.get_running_loop().time() >= limit.at

    def _read(self) -> list[NumberedItem]:
        self._context.process.restore()
        return self._source.read()

    async def _finish(self, end: ItemEnd) -> None:
        self._show_skipped()
        failure = end.failure or failure_of(split_scores(end.scores)[1])
        if failure is not None:
            self.failed.add(end.index)
        if self._source.newer_than is not None:
            self.n_kept += failure is not None
            self.n_replaced += failure is None
            if failure is not None:
                await self._finisher.keep_old(failure)
                return
            for turn in end.turns:
                self._roles[turn.role].service.renewed.keep(turn.request.fingerprint)
        await self._finisher.finish_item(end, n_under_way=self._run.n_open)

    def _show_skipped(self) -> None:
        n_new = self._source.n_finished - self._n_skipped
        if n_new:
            self._n_skipped += n_new
            self._finisher.skip(n_new)


def role_services(
    plan: Plan, task: PlannedTask, models: Mapping[str, RunModel], *, is_second: bool
) -> dict[str, RoleService]:
    """Say for each role of a task who answers, and whether it can be asked in this pass.

    Args:
        plan, task: the run, and the task.
        models: the models that the task asks, by role; the evaluated one among them.
        is_second: whether it is the pass after one in which roles were deferred.
    """
    evaluated = models[MODEL].planned
    deferred = deferred_roles(plan, evaluated, task)
    return {
        role: RoleService(
            model.service,
            task.generation if role == MODEL else plan.roles[role].generation,
            ReasoningFinder(
                task.reasoning_tags if role == MODEL else plan.roles[role].model.reasoning_tags
            ),
            is_deferred=role in deferred and not is_second,
            is_over=role == MODEL and is_second,
        )
        for role, model in models.items()
    }


def n_open_items(models: Mapping[str, RunModel]) -> int:
    """Say how many items of a task are open at once: enough for all of its models."""
    return _ITEMS_A_WORKER * sum(model.concurrency for model in models.values())
