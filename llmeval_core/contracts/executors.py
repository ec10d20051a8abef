"""Where requests are answered: in this process or elsewhere, at what pace, until when."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from llmeval_core.config import RetryConfig
from llmeval_core.contracts.models import Model, ModelFactory
from llmeval_core.errors import ModelError
from llmeval_core.records import Failure, Generation, Request


class RateLimiter(Protocol):
    """When a request may be sent; shared by all that is asked of one server.

    Each `acquire` is followed by exactly one of `answered`, `failed` and `cancelled`.
    """

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a request is expected to use."""

    async def acquire(self, n_tokens: int = 0) -> None:
        """Wait until one more request may be sent.

        Raises:
            ModelError: the server was away for too long.
        """

    def answered(self, generation: Generation, *, latency_s: float, n_expected: int = 0) -> None:
        """Note an answer, how long it took, and the tokens it was expected to use."""

    def failed(self, error: ModelError) -> None:
        """Note that an attempt failed."""

    def cancelled(self) -> None:
        """Note that nobody waits for the answer any more."""

    def may_retry(self) -> bool:
        """Take one of the run's retries, if there is one left."""


class ModelAvailability(Protocol):
    """What is known of a model in this run; see `generation.availability`."""

    @property
    def answered(self) -> bool:
        """Whether the model answered in this run."""

    def began(self) -> None:
        """Note that a request is sent."""

    def ended(self, *, answered: bool = False) -> None:
        """Note that it was answered, or failed, or was given up."""

    async def is_ended_by(self, error: ModelError) -> bool:
        """Decide whether an `auth` or `not_found` ends the model, and not only one sample."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A moment at which work ends, in the time of the event loop, and the setting's name."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class ExecutionRequest:
    """What an executor needs to answer requests for one model.

    Args:
        model: `provider/model`.
        open: makes the model ready in this process; the engine closes it.
        concurrency: most requests under way at once, those among them that wait in copies of
            the model; see `Executor`.
        retry: what is tried again, and how often.
        request_timeout_s: longest time for one attempt, seconds.
        open_by: makes the model ready as the given function does, once for all jobs of a model
            in a run, and returns it; the engine closes it. None in a job made by hand.
        local: answers requests from this process, by a job's `open`, with all retries and
            limits: what an executor leaves to it, if only its model is somewhere else. None in
            a job made by hand.
        rate_limiter: when a request may be sent; as fast as `concurrency` allows if None.
        sample_timeout_s: longest time for one request, all attempts and waits together,
            seconds; None for no limit.
        time_limit: when the task or the run must end; None for no limit.
        is_stopped: whether nothing more is to be sent: a request that still waits for its turn
            then ends as a failure `stopped`. Never, if None.
        availability: what the requests of this model found out about it, over all its jobs; begins
            with this job if None.
    """

    model: str
    open: Callable[[], Awaitable[Model]]
    concurrency: int
    retry: RetryConfig
    request_timeout_s: float
    open_by: Callable[[Callable[[ModelFactory], Awaitable[Model]]], Awaitable[Model]] | None = None
    local: Executor | None = None
    rate_limiter: RateLimiter | None = None
    sample_timeout_s: float | None = None
    time_limit: TimeLimit | None = None
    availability: ModelAvailability | None = None
    is_stopped: Callable[[], bool] | None = None


@runtime_checkable
class Executor(Protocol):
    """Answers requests somewhere: in this process, or on a cluster.

    It only asks; the caller scores and journals, so an executor that dies loses at most the
    requests under way.

    It may tell two numbers about a model that works in process and has a `max_concurrency`:

    * `n_replicas`: how many copies it opens; `max_concurrency` is then that of each. 1 if left
      out.
    * `prefetch_per_replica`: how many requests may wait for each copy besides those that it
      serves, so that it need not wait for the next. 0 if left out; none may where samples have a
      time limit.
    """

    async def run(
        self,
        job: ExecutionRequest,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        """Answer every request once, in any order, and return when all are finished.

        Pulls no more requests than it can work on, opens the model only if there is a request,
        and awaits `finish` for each answer, from the event loop it was called in.

        Raises:
            ModelError: the model cannot be used at all (`auth`, `not_found`, or `open` failed).
        """
