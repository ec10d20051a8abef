"""What plugins supply: a data set, a model, a metric, a tracker, an executor, a check, a route.

All are Protocols: a class that has the methods fits, nothing need be inherited.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from llmeval_core.config import RetryConfig, TaskDefaults
from llmeval_core.errors import ModelError
from llmeval_core.naming import Json
from llmeval_core.records import (
    Aggregate,
    Failure,
    Generation,
    Mode,
    Request,
    RunSummary,
    Sample,
    SampleResult,
    Score,
    TaskResult,
    TrackerStanding,
)


@runtime_checkable
class Dataset(Protocol):
    """Samples to evaluate, and examples to show.

    Attributes:
        name: what task keys begin with; no space, slash or colon.
        defaults: how this data set is usually asked; a task in the run file overrides it.
    """

    name: str
    defaults: TaskDefaults

    def samples(self) -> Iterable[Sample]:
        """Stream the samples in a stable order; called at least once a run, from a thread.

        Raises:
            DatasetError: a line or a field is wrong; `where` says which.
        """

    def few_shot_pool(self) -> Iterable[Sample]:
        """Stream samples to take examples from; may be the evaluated ones themselves.

        The engine never shows a sample to itself: what has the same input is left out.
        """

    def size(self) -> int | None:
        """Count the samples cheaply; None if that would mean reading everything."""

    def fingerprint(self) -> str:
        """Return a digest of content and settings; equal exactly if the samples are equal."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What can be said of a model before it is opened.

    Args:
        identity: everything besides its name that changes what it answers (base URL,
            digest of weights); part of each request's fingerprint; holds no secrets.
        modes: how it can be asked.
        max_concurrency: most requests it can usefully serve at once; None for no limit.
        endpoint: tells which models share a server and a key, and with them its limits; holds
            no secrets; None for a model that works in this process: such are asked one after
            another.
    """

    identity: str
    modes: frozenset[Mode]
    max_concurrency: int | None = None
    endpoint: str | None = None


@runtime_checkable
class Model(Protocol):
    """A model that is ready to answer."""

    async def generate(self, request: Request) -> Generation:
        """Answer one request, in one attempt; the engine repeats.

        A `chat` or `completion` request gets texts; a `loglikelihood` request, which comes only
        if `ModelInfo.modes` has that mode, gets one `Loglikelihood` for each continuation.

        Raises:
            ModelError: with the kind that tells the engine what to do next.
        """

    async def aclose(self) -> None:
        """Free what the model holds; called once."""


@runtime_checkable
class ModelProvider(Protocol):
    """Where models of one provider come from."""

    def describe(self, model: str) -> ModelInfo:
        """Tell about a model without network and without loading it.

        Raises:
            ConfigError: there is no such model, or a setting is missing.
        """

    async def open(self, model: str) -> Model:
        """Make a model ready: connect, fetch, load. Called once a run and model.

        Raises:
            ModelError: it cannot be made ready.
        """


@runtime_checkable
class Metric(Protocol):
    """A number for each sample, and one for all.

    Attributes:
        definition: the id of what is computed, such as `exact_match@nfkc`; two metrics with
            one id give the same number for the same answers.
        higher_is_better: which way is better.
    """

    definition: str
    higher_is_better: bool

    def score(self, sample: Sample, generation: Generation) -> Score | Awaitable[Score]:
        """Score one answer; may be `async def`.

        Raises:
            ValueError: this sample cannot be scored (it has no reference, say); it then
                counts as failed, with the message as the reason.
        """

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Make one number of many, in sample order; `n_failed` is filled in by the engine."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What a tracker is told when it opens.

    Args:
        tracker: the name under which it is configured in this run.
        home: the project's folder for llmeval's own files; a tracker may keep files there.
        plan: gives the plan that a result comes from, as `llmeval plan --json` prints it; empty
            if it is not known. Reads the journal; call it from a thread.
        samples: gives the sample results of a task result, in sample order, streamed from
            the journal; call it from a thread.
    """

    tracker: str
    home: Path
    plan: Callable[[TaskResult], Mapping[str, Json]]
    samples: Callable[[TaskResult], Iterable[SampleResult]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a tracker holds a result.

    Args:
        location: where a person can see it (URL or path); None if there is no such place.
        note: what the user should know (a value that could not be logged); None if nothing.
    """

    location: str | None = None
    note: str | None = None


@runtime_checkable
class Tracker(Protocol):
    """A result sink. It sees finished tasks only and never slows the engine.

    It may have a `title`, such as `MLflow`, by which logs call it.
    """

    async def open(self, run: RunInfo) -> None:
        """Get ready; blocking work belongs in a thread.

        Raises:
            TrackerError: it cannot take results now; they stay pending.
        """

    async def deliver(self, result: TaskResult) -> Receipt:
        """Take one result; the same `result.id` again changes nothing.

        Raises:
            TrackerError: it did not take it; tried again later unless `permanent`.
        """

    async def close(self) -> None:
        """Free what it holds; called once, also after a failed `open`."""


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """How a model is made; travels to another process by pickle, if its provider does."""

    provider: ModelProvider
    model: str

    async def open(self) -> Model:
        """Make a model that the caller closes.

        Raises:
            ModelError: it cannot be made ready.
        """
        return await self.provider.open(self.model)


class Pace(Protocol):
    """When a request may be sent; shared by all that is asked of one server.

    Each `enter` is followed by exactly one of `answered`, `failed` and `abandoned`.

    Attributes:
        counts_tokens: whether it matters how many tokens a request is expected to use.
    """

    @property
    def counts_tokens(self) -> bool:
        """See above."""

    async def enter(self, n_tokens: int = 0) -> None:
        """Wait until one more request may be sent.

        Raises:
            ModelError: the server was away for too long.
        """

    def answered(self, generation: Generation, *, latency_s: float, n_expected: int = 0) -> None:
        """Note an answer, how long it took, and the tokens it was expected to use."""

    def failed(self, error: ModelError) -> None:
        """Note that an attempt failed."""

    def abandoned(self, n_expected: int = 0) -> None:
        """Note that nobody waits for the answer any more."""

    def may_retry(self) -> bool:
        """Take one of the run's retries, if there is one left."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A moment at which work ends, in the time of the event loop, and the setting's name."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class ModelJob:
    """What an executor needs to answer requests for one model.

    Args:
        model: `provider/model`.
        open: makes the model ready in this process; the engine closes it.
        concurrency: most requests under way at once.
        retry: what is tried again, and how often.
        request_timeout_s: longest time for one attempt, seconds.
        open_by: makes the model ready as the given function does, once for all jobs of a model
            in a run, and returns it; the engine closes it. None in a job made by hand.
        local: answers requests from this process, by a job's `open`, with all retries and
            limits: what an executor leaves to it, if only its model is somewhere else. None in
            a job made by hand.
        pace: when a request may be sent; as fast as `concurrency` allows if None.
        sample_timeout_s: longest time for one request, all attempts and waits together,
            seconds; None for no limit.
        time_limit: when the task or the run must end; None for no limit.
    """

    model: str
    open: Callable[[], Awaitable[Model]]
    concurrency: int
    retry: RetryConfig
    request_timeout_s: float
    open_by: Callable[[Callable[[ModelRecipe], Awaitable[Model]]], Awaitable[Model]] | None = None
    local: Executor | None = None
    pace: Pace | None = None
    sample_timeout_s: float | None = None
    time_limit: TimeLimit | None = None


@runtime_checkable
class Executor(Protocol):
    """Answers requests somewhere: in this process, or on a cluster.

    It only asks; the caller scores and journals, so an executor that dies loses at most the
    requests under way.

    It may have `n_copies`, how many copies it opens of a model that works in process: the
    model's `max_concurrency` is then that of each copy.
    """

    async def run(
        self,
        job: ModelJob,
        requests: AsyncIterator[Request],
        finish: Callable[[Request, Generation | Failure], Awaitable[None]],
    ) -> None:
        """Answer every request once, in any order, and return when all are finished.

        Pulls no more requests than it can work on, opens the model only if there is a request,
        and awaits `finish` for each answer, from the event loop it was called in.

        Raises:
            ModelError: the model cannot be used at all (`auth`, `not_found`, or `open` failed).
        """


@runtime_checkable
class Observer(Protocol):
    """Is told what happens; cannot change it. An error in it is logged and forgotten."""

    def before_run(self, plan: Mapping[str, Json]) -> None:
        """Called once before anything is sent, with what `llmeval plan --json` prints."""

    def after_task(self, result: TaskResult) -> None:
        """Called for each finished task, after it is durable."""

    def after_run(self, summary: RunSummary) -> None:
        """Called once at the end, also after an interruption."""


CheckState = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check found: its state, one line of detail, and what to try if it is not ok."""

    state: CheckState
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `llmeval doctor`: a name and what finds out; `run` may take seconds."""

    name: str
    run: Callable[[Path], CheckOutcome]


@dataclass(frozen=True, slots=True)
class Site:
    """What a route is told about the server that mounts it; all functions block.

    Args:
        home: the project's folder for llmeval's own files.
        standings: what each tracker has and lacks.
        deliver: delivers what the tracker of this name lacks, and says in one line how it went.
        deliver_again: delivers the newest result of each model and task once more to the tracker
            of this name, and what it lacks; says in one line how it went.
        log_lines: gives the newest lines of the server's log that have a word in them, oldest
            first.
    """

    home: Path
    standings: Callable[[], Sequence[TrackerStanding]]
    deliver: Callable[[str], str]
    deliver_again: Callable[[str], str]
    log_lines: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Route:
    """An ASGI application and the path prefix under which a server mounts it.

    The server checks hosts, tokens and origins before a request gets here, and runs the
    application's ASGI lifespan with its own, so that it can start and end what it needs.

    Args:
        prefix: such as `/proxy-mlflow`; starts with a slash, ends without.
        app: makes the ASGI application; called once, in the server's process.
        summary: one line for the server's own index.
        title: what a menu calls it; None for no place in the menu.
        model_path: the path of a page about one model, from the server's root, in which
            `{model}` stands for its quoted name: `/debug-mlflow/run?model={model}`; None if
            there is none.
    """

    prefix: str
    app: Callable[[Site], Any]  # Any: ASGI applications have no common static type
    summary: str
    title: str | None = None
    model_path: str | None = None
