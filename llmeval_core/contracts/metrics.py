"""What makes a number of an answer, and one of many."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Protocol, runtime_checkable

from llmeval_core.config import AnswerBy
from llmeval_core.contracts.asking import MetricAsk
from llmeval_core.records import Aggregate, Generation, Sample, Score


@runtime_checkable
class Metric(Protocol):
    """A number for each sample, and one for all.

    Its attributes are only read, so that a frozen dataclass fits.
    """

    @property
    def definition(self) -> str:
        """The id of what is computed, such as `token_f1@squad`.

        Two metrics with one id give the same number for the same answers.
        """

    @property
    def higher_is_better(self) -> bool:
        """Which way is better."""

    def score(self, sample: Sample, generation: Generation) -> Score | Awaitable[Score]:
        """Score one answer; may be `async def`.

        Whatever it raises, the answer and the scores of other metrics are kept, the sample is
        `unscored`, and this metric's aggregate lacks it; the next run scores it again without
        asking the model.

        Raises:
            ValueError: this sample cannot be scored (it has no reference, say); the message is
                the reason.
            LlmevalError, OSError: something around it is in the way (a judge's server does not
                answer); the message is the reason. TimeoutError and ConnectionError are OSErrors.
        """

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Make one number of many, in sample order; `n_failed` is filled in by the engine."""


@runtime_checkable
class AnswerAwareMetric(Protocol):
    """A metric that computes another number for words than for log-likelihoods."""

    def for_answers(self, answer_by: AnswerBy) -> Metric:
        """Return the metric, with its own definition id, for the way in which a task is answered.

        Called once a task while it is planned; `answer_by` is never `auto`.
        """


@runtime_checkable
class AskingMetric(Protocol):
    """A metric that asks models, such as a judge; otherwise like `Metric`.

    What decides its numbers (its prompt, say) is part of its `definition`; the models that have
    its roles are added by the engine: `judge@1+judge=openai/gpt-4o`.
    """

    @property
    def definition(self) -> str:
        """As of a `Metric`."""

    @property
    def higher_is_better(self) -> bool:
        """Which way is better."""

    @property
    def roles(self) -> Mapping[str, int]:
        """The roles that it asks, and about how many requests a sample makes: `{"judge": 1}`."""

    def score(
        self, sample: Sample, generation: Generation, ask: MetricAsk
    ) -> Score | Awaitable[Score]:
        """Score one answer; see `Metric.score`, and `MetricAsk`.

        It must ask the same again if it gets the same answers: a sample that was interrupted is
        scored again from the beginning, and finds what was answered.
        """

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Make one number of many; see `Metric.aggregate`."""
