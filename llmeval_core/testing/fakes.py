"""Stand-ins that satisfy the contracts, for tests of what surrounds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from llmeval_core.config import ComponentConfig, TaskDefaults
from llmeval_core.contracts import ModelInfo, Receipt, RunInfo
from llmeval_core.errors import ModelError, TrackerError
from llmeval_core.naming import fingerprint
from llmeval_core.records import (
    Aggregate,
    Generation,
    Loglikelihood,
    Mode,
    Request,
    Sample,
    Score,
    TaskResult,
)
from llmeval_core.statistics import mean_aggregate

ALL_MODES: frozenset[Mode] = frozenset({"chat", "completion", "loglikelihood"})


class FakeDataset:
    """Samples from a list, or `n` made-up ones whose reference is their own question."""

    def __init__(
        self,
        samples: Sequence[Sample] | int = 3,
        *,
        name: str = "fake",
        defaults: TaskDefaults | None = None,
        pool: Sequence[Sample] | None = None,
    ) -> None:
        if isinstance(samples, int):
            texts = [f"question {number}" for number in range(samples)]
            samples = [Sample(str(i), text, (text,)) for i, text in enumerate(texts)]
        self.name = name
        self.defaults = defaults or TaskDefaults(metrics=(ComponentConfig(use="fake"),))
        self._samples = samples
        self._pool = samples if pool is None else pool

    def samples(self) -> Iterator[Sample]:
        """Stream the samples."""
        return iter(self._samples)

    def few_shot_pool(self) -> Iterator[Sample]:
        """Stream the pool; the samples themselves if none was given."""
        return iter(self._pool)

    def size(self) -> int:
        """Count the samples."""
        return len(self._samples)

    def fingerprint(self) -> str:
        """Return a digest of ids, inputs and references."""
        return fingerprint([[s.id, str(s.input), list(s.references)] for s in self._samples])


class FakeModel:
    """A provider whose model answers from a function, and remembers what it was asked.

    Args:
        answer: makes the answer of the question; the question itself if None. It may raise
            ModelError.
        fail_first: errors to raise at the first requests, in order, before it answers.
        latency_s: how long each answer takes, seconds.
        cache_key: part of each request's fingerprint.
        modes: how it can be asked.

    Attributes:
        requests: every request that reached it, in order.
        n_opened, n_closed: how often it was opened and closed.
        most_under_way: most requests at once.
    """

    def __init__(
        self,
        answer: Callable[[str], str] | None = None,
        *,
        fail_first: Iterable[ModelError] = (),
        latency_s: float = 0.0,
        cache_key: str = "fake",
        modes: frozenset[Mode] = ALL_MODES,
    ) -> None:
        self.requests: list[Request] = []
        self.n_opened = self.n_closed = self.most_under_way = 0
        self._answer = answer
        self._failures = iter(list(fail_first))
        self._latency_s = latency_s
        self._info = ModelInfo(cache_key, modes)
        self._under_way = 0

    def describe(self, model: str) -> ModelInfo:
        """Tell how it can be asked."""
        return self._info

    async def open(self, model: str) -> FakeModel:
        """Count, and return itself."""
        self.n_opened += 1
        return self

    async def generate(self, request: Request) -> Generation:
        """Answer; of several continuations the first is the likeliest."""
        self.requests.append(request)
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        self._under_way += 1
        self.most_under_way = max(self.most_under_way, self._under_way)
        try:
            await asyncio.sleep(self._latency_s)
        finally:
            self._under_way -= 1
        asked = request.messages[-1].text if request.messages else request.prompt
        if request.mode == "loglikelihood":
            n = len(request.continuations)
            weights = (Loglikelihood(-float(rank), 1) for rank in range(1, n + 1))
            return Generation(loglikelihoods=tuple(weights))
        text = asked if self._answer is None else self._answer(asked)
        return Generation((text,) * request.settings.n, n_prompt_tokens=3, n_completion_tokens=2)

    async def aclose(self) -> None:
        """Count."""
        self.n_closed += 1


class FakeMetric:
    """1 if the answer is a reference, else 0."""

    higher_is_better = True

    def __init__(self, definition: str = "fake@1") -> None:
        self.definition = definition

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Compare."""
        return Score(float(generation.text in sample.references), generation.text)

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average."""
        return mean_aggregate(scores)


class ListTracker:
    """Keeps results in a list, once each; can be told to be away.

    Attributes:
        results: what was delivered, in order.
        away: while True, every call fails as a server that is away does.
        n_attempts: how often `deliver` was called.
    """

    def __init__(self, *, away: bool = False) -> None:
        self.results: list[TaskResult] = []
        self.away = away
        self.n_attempts = 0
        self.n_closed = 0

    async def open(self, run: RunInfo) -> None:
        """Fail if away."""
        self._reach()

    async def deliver(self, result: TaskResult) -> Receipt:
        """Keep the result, unless it is there."""
        self.n_attempts += 1
        self._reach()
        if all(result.id != known.id for known in self.results):
            self.results.append(result)
        return Receipt("a list")

    async def close(self) -> None:
        """Count."""
        self.n_closed += 1

    def _reach(self) -> None:
        if self.away:
            raise TrackerError("the list is away")
