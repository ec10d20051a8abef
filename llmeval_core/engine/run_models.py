"""The models of a run, each once, whatever its roles: evaluated, a judge, a simulated user."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from llmeval_core.contracts import MODEL, ExecutionRequest, Executor, TimeLimit
from llmeval_core.engine.deferred_roles import deferred_roles
from llmeval_core.engine.model_handle import ModelHandle
from llmeval_core.engine.model_service import ModelService
from llmeval_core.engine.model_turns import ModelTurns
from llmeval_core.engine.progress import Progress
from llmeval_core.engine.rate_limiters import endpoint_of, max_in_flight
from llmeval_core.engine.request_ledger import RequestLedger
from llmeval_core.engine.run_context import RunContext
from llmeval_core.generation import LocalExecutor, ObservedAvailability
from llmeval_core.pacing import EndpointRateLimiter
from llmeval_core.plan import Plan, PlannedModel, PlannedTask, is_asked_here


class RunModel:
    """A model and all that belongs to it in a run.

    Args:
        planned: the model.
        context: what the tasks of a run have in common.
        progress: is shown that it is made ready.
        executor: where requests are answered, if the plan does not say here.
        rate_limiter: of its server.

    Attributes:
        executor: where its requests are answered.
        handle: opens it, with the first request.
        ledger: who asks which request of it.
        availability: what its requests found out about it.
        service: asks it for items.
        concurrency: most requests under way at once.
    """

    def __init__(
        self,
        planned: PlannedModel,
        context: RunContext,
        *,
        progress: Progress,
        executor: Executor,
        rate_limiter: EndpointRateLimiter,
        run_limit: TimeLimit | None,
    ) -> None:
        self.planned = planned
        self.handle = ModelHandle(planned, context.plan, progress)
        self.executor = LocalExecutor() if _is_asked_here(context.plan, planned) else executor
        journal = context.journal
        self.ledger = RequestLedger(lambda: journal.n_given, lambda: journal.n_committed)
        self.availability = ObservedAvailability()
        self.concurrency = max_in_flight(context.plan, [planned])
        self._rate_limiter = rate_limiter
        self._stop_signal = context.stop_signal
        self.service = ModelService(
            context,
            planned,
            self.ledger,
            executor=self.executor,
            make_job=lambda: self.job(run_limit),
        )
        self._n_uses = 0

    def job(self, limit: TimeLimit | None) -> ExecutionRequest:
        """Describe the work for an executor: at most so much at once, at this pace, until then."""
        return self.handle.job(
            self._rate_limiter,
            concurrency=self.concurrency,
            time_limit=limit,
            availability=self.availability,
            stop_signal=self._stop_signal,
        )

    def expect_use(self) -> None:
        """Note a task that will use it; `use_ended` follows once."""
        self._n_uses += 1

    async def use_ended(self) -> None:
        """Close it after its last task."""
        self._n_uses -= 1
        if not self._n_uses:
            await self.handle.aclose()


class RunModels:
    """Finds the models of a run.

    Args:
        context: what the tasks of a run have in common.
        progress: is shown that a model is made ready.
        executor: where requests are answered.
        rate_limiters: of servers, by name.
        run_limit: when the run must end; None for never.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        progress: Progress,
        executor: Executor,
        rate_limiters: Mapping[str, EndpointRateLimiter],
        run_limit: TimeLimit | None,
    ) -> None:
        self._models: dict[tuple[str, str], RunModel] = {}
        self._plan = plan = context.plan
        for planned in plan.models:
            key = _key(planned)
            if key not in self._models:
                self._models[key] = RunModel(
                    planned,
                    context,
                    progress=progress,
                    executor=executor,
                    rate_limiter=rate_limiters[endpoint_of(planned)],
                    run_limit=run_limit,
                )
        self._turns = ModelTurns(
            [model.handle for model in self._models.values() if model.planned.info.endpoint is None]
        )
        for evaluation in plan.evaluations:
            for task in evaluation.tasks:
                for model in self.of_task(plan, evaluation.model, task).values():
                    model.expect_use()

    def of(self, planned: PlannedModel) -> RunModel:
        """Return what belongs to a model."""
        return self._models[_key(planned)]

    def of_task(self, plan: Plan, model: PlannedModel, task: PlannedTask) -> dict[str, RunModel]:
        """Return the models that a task asks, by role; the evaluated one first."""
        roles = {MODEL: self.of(model)}
        for name in task.roles:
            if name in plan.roles:
                roles[name] = self.of(plan.roles[name].model)
        return roles

    def turn(
        self, model: PlannedModel, task: PlannedTask, *, is_second: bool
    ) -> AbstractAsyncContextManager[None]:
        """Hold, for a pass of a task, all models that it asks in it."""
        deferred = deferred_roles(self._plan, model, task)
        asked = self.of_task(self._plan, model, task)
        return self._turns.turn(
            [
                one.handle
                for role, one in asked.items()
                if (role != MODEL if is_second else role not in deferred)
            ]
        )

    @property
    def n_requests(self) -> int:
        """Requests that ended, of all services."""
        return sum(model.service.n_requests for model in self._models.values())

    async def aclose(self) -> None:
        """Close what is still open."""
        for model in self._models.values():
            await model.handle.aclose()


def _key(planned: PlannedModel) -> tuple[str, str]:
    return planned.name, planned.info.cache_key


def _is_asked_here(plan: Plan, model: PlannedModel) -> bool:
    return is_asked_here(model, has_executor=plan.executor is not None, has_roles=bool(plan.roles))
