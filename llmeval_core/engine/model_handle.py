"""A model that is opened when the first request comes, and once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from llmeval_core.contracts import (
    ExecutionRequest,
    Model,
    ModelAvailability,
    ModelFactory,
    RateLimiter,
    TimeLimit,
)
from llmeval_core.engine.progress import Progress
from llmeval_core.engine.stop_signal import StopSignal
from llmeval_core.errors import LlmevalError, ModelError, describe_error, must_propagate
from llmeval_core.generation import LocalExecutor
from llmeval_core.plan import Plan, PlannedModel
from llmeval_core.process_state import contained

_log = logging.getLogger("llmeval")


class ModelHandle:
    """Opens a planned model at the first `open` and closes it at the end.

    A run whose answers all stand in the journal never opens it.
    """

    def __init__(self, planned: PlannedModel, plan: Plan, progress: Progress) -> None:
        self._progress = progress
        self._planned = planned
        self._plan = plan
        self._lock = asyncio.Lock()
        self._model: Model | None = None
        self._failure: ModelError | None = None

    def job(
        self,
        rate_limiter: RateLimiter,
        *,
        concurrency: int,
        time_limit: TimeLimit | None,
        availability: ModelAvailability,
        stop_signal: StopSignal,
    ) -> ExecutionRequest:
        """Describe the work for an executor: at most so much at once, at this pace, until then."""
        return ExecutionRequest(
            model=self._planned.name,
            open=self.open,
            concurrency=concurrency,
            retry=self._plan.retry,
            request_timeout_s=self._plan.timeouts.request_s,
            open_by=self.open_by,
            local=LocalExecutor(),
            rate_limiter=rate_limiter,
            sample_timeout_s=self._plan.timeouts.sample_s,
            time_limit=time_limit,
            availability=availability,
            is_stopped=stop_signal.is_set,
        )

    async def open(self) -> Model:
        """Return the model, opened in this process; see `open_by`."""
        return await self.open_by(ModelFactory.open)

    async def open_by(self, opener: Callable[[ModelFactory], Awaitable[Model]]) -> Model:
        """Return the model, opened by this function if it is not yet open.

        Raises:
            ModelError: it cannot be made ready; `where` names the model.
        """
        async with self._lock:
            if self._model is None and self._failure is None:
                self._progress.model_opening(self._planned.name)
                try:
                    factory = ModelFactory(self._planned.provider, self._planned.model)
                    with contained():
                        self._model = _checked(await opener(factory))
                except BaseException as err:  # plugin boundary: a provider is foreign code
                    if must_propagate(err):
                        raise
                    self._failure = self._why(err)
            if self._failure is not None:
                raise self._failure
            assert self._model is not None
            return self._model

    def _why(self, err: BaseException) -> ModelError:
        """Turn what a provider raised into the error that ends the model's run."""
        where = f"model {self._planned.name}"
        if isinstance(err, ModelError):
            err.where = err.where or where
            return err
        if isinstance(err, LlmevalError):
            return ModelError("not_found", err.what, where=err.where or where, hint=err.hint)
        hint = "this is a bug in the plugin; tell its author"
        message = f"the model cannot be opened: {describe_error(err)}"
        return ModelError("plugin", message, where=where, hint=hint)

    @property
    def is_opening(self) -> bool:
        """Whether the model is just now made ready."""
        return self._lock.locked()

    async def aclose(self) -> None:
        """Close the model, if it was opened; an error in that is logged and changes nothing."""
        model, self._model = self._model, None
        if model is None:
            return
        try:
            await model.aclose()
        except BaseException as err:  # plugin boundary: a model is foreign code
            if must_propagate(err):
                raise
            reason = self._plan.redactor(describe_error(err))
            _log.warning("model '%s' did not close: %s", self._planned.name, reason)


def _checked(model: object) -> Model:
    """Pass a model on if it is one.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(model, Model):
        return model
    raise TypeError(f"open() gave a {type(model).__name__}, not a Model")
