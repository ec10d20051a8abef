"""Sending a request: one attempt after another, until there is an answer or a failure."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from llmeval_core.contracts import ExecutionRequest, Model
from llmeval_core.errors import LlmevalError, ModelError, describe_error, must_propagate
from llmeval_core.generation.attempt_timeouts import AttemptTimeouts
from llmeval_core.generation.availability import ObservedAvailability
from llmeval_core.generation.generation_check import check_generation
from llmeval_core.generation.retrying import (
    FATAL,
    MAX_ATTEMPTS_UNPROVEN,
    MAX_RATE_LIMITED,
    TRANSIENT,
    backoff_s,
)
from llmeval_core.pacing import EndpointRateLimiter, FixedLimit
from llmeval_core.records import Failure, Generation, Request
from llmeval_core.tokens import expected_tokens

_STOPPED = Failure("stopped", "the run was stopped before it was asked")


class RequestRunner:
    """Sends requests to one model, from one event loop.

    Args:
        model: the model, opened.
        job: how often, how fast and how long.
        sleep: waits between attempts, seconds.
    """

    def __init__(
        self,
        model: Model,
        job: ExecutionRequest,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._job = job
        self._rate_limiter = job.rate_limiter or EndpointRateLimiter(FixedLimit(job.concurrency))
        self._sleep = sleep
        self._random = random.Random()  # noqa: S311  only spreads waits
        self._availability = job.availability or ObservedAvailability()
        self._is_stopped = job.is_stopped
        self._timeouts = AttemptTimeouts(job.request_timeout_s)

    def close(self) -> None:
        """Free the timer; nothing may be under way any more."""
        self._timeouts.close()

    async def send(self, request: Request) -> Generation | Failure:
        """Answer a request, or say why that failed.

        Raises:
            ModelError: the model cannot be used at all.
            PluginError: what it gives is no answer.
        """
        n_expected = expected_tokens(request) if self._rate_limiter.counts_tokens else 0
        limit = self._job.time_limit
        if limit is None:
            return await self._send_in_turn(request, n_expected)
        try:
            async with asyncio.timeout_at(limit.at):
                return await self._send_in_turn(request, n_expected)
        except TimeoutError:
            message = f"no answer before {limit.name} was over, all attempts together"
            return Failure("time_limit", message)

    async def _send_in_turn(self, request: Request, n_expected: int) -> Generation | Failure:
        """Send it when the rate limiter allows; the sample's own time begins then, not before."""
        if not await self._acquire(n_expected):
            return _STOPPED
        sample_s = self._job.sample_timeout_s
        if sample_s is None:
            return await self._attempt_until_answered(request, n_expected)
        try:
            async with asyncio.timeout(sample_s):
                return await self._attempt_until_answered(request, n_expected)
        except TimeoutError:
            message = "no answer before timeouts.sample_s was over, all attempts together"
            return Failure("timeout", message)

    async def _attempt_until_answered(
        self, request: Request, n_expected: int
    ) -> Generation | Failure:
        n_attempts = n_limited = 0
        while True:
            error = await self._attempt(request, n_expected)
            if isinstance(error, Generation):
                return error
            if error.kind in FATAL and await self._availability.is_ended_by(error):
                raise error
            if error.kind == "rate_limit":  # to wait for a quota is not to try again
                n_limited += 1
                n_failed, is_last = n_limited, n_limited >= MAX_RATE_LIMITED
            else:
                n_attempts += 1
                n_failed, is_last = n_attempts, n_attempts >= self._max_attempts(error)
            if error.kind not in TRANSIENT or is_last:
                return Failure(error.kind, error.what, error.hint, error.where)
            if error.kind != "rate_limit" and not self._rate_limiter.may_retry():
                message = f"{error.what} (the retries of this run are used up)"
                return Failure(error.kind, message, error.hint, error.where)
            await self._sleep(backoff_s(self._job.retry, n_failed, error, self._random))
            if not await self._acquire(n_expected):
                return _STOPPED

    async def _acquire(self, n_expected: int) -> bool:
        """Wait for our turn; False if it comes when nothing more is to be sent."""
        await self._rate_limiter.acquire(n_expected)
        if self._is_stopped is not None and self._is_stopped():
            self._rate_limiter.cancelled()
            return False
        return True

    async def _attempt(self, request: Request, n_expected: int) -> Generation | ModelError:
        """Send it once, in our turn. Whatever the model raises is its failure."""
        began = time.perf_counter()
        self._availability.began()
        try:
            with self._timeouts.start():
                generation = await self._model.generate(request)
            check_generation(request, generation)
        except TimeoutError:
            within_s = self._job.request_timeout_s
            error = ModelError("timeout", f"no answer within {within_s:g} s")
        except ModelError as err:
            error = err
        except ConnectionError as err:
            error = ModelError("connection", describe_error(err))
        except BaseException as err:  # plugin boundary: a model is foreign code
            self._availability.ended()
            self._rate_limiter.cancelled()
            if must_propagate(err) or isinstance(err, LlmevalError):
                raise
            return ModelError("plugin", f"the model failed: {describe_error(err)}")
        else:
            self._availability.ended(answered=True)
            latency_s = time.perf_counter() - began
            self._rate_limiter.answered(generation, latency_s=latency_s, n_expected=n_expected)
            return generation
        self._availability.ended()
        self._rate_limiter.failed(error)
        return error

    def _max_attempts(self, error: ModelError) -> int:
        if error.kind == "connection" and not self._availability.answered:
            return min(MAX_ATTEMPTS_UNPROVEN, self._job.retry.max_attempts)
        return self._job.retry.max_attempts
