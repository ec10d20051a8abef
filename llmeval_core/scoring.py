"""From a generation to scores: find the answer in it, and let each metric judge."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import isfinite

from llmeval_core.contracts import MetricAsk, UnansweredError
from llmeval_core.errors import FailureKind, LlmevalError, describe_error, must_propagate
from llmeval_core.extraction import Extractor
from llmeval_core.plan import PlannedMetric, PlannedTask
from llmeval_core.reasoning import ReasoningFinder, ReasoningSplit
from llmeval_core.records import (
    Failure,
    Generation,
    Outcome,
    Sample,
    Score,
    StopReason,
)

_OUTCOME_BY_REASON: Mapping[StopReason, Outcome] = {
    "content_filter": "filtered",
    "refusal": "refused",
    "length": "truncated",
}

HINT_OF_ASKING = (
    "`llmeval samples` shows what was asked and answered; answers are kept, and the same command"
    " scores them again"
)
"""What to try where scoring failed that asks models, or that only a task can do."""

_BY_ITSELF: tuple[StopReason, ...] = ("stop",)


MetricScores = Mapping[str, Score | Failure]
"""What each metric says of a sample, or why it could not score it."""


class Scorer:
    """Scores the answers of one task.

    Attributes:
        awaits: whether a metric is awaited, so that scoring many at once is faster.

    Raises:
        ConfigError: the task's `extract` is not a regular expression.
    """

    def __init__(self, task: PlannedTask) -> None:
        self._metrics: tuple[tuple[PlannedMetric, Callable[..., object], bool], ...] = tuple(
            (planned, planned.metric.score, is_asking(planned.metric)) for planned in task.metrics
        )
        self.awaits = any(inspect.iscoroutinefunction(judge) for _, judge, _ in self._metrics)
        self._reasoning = ReasoningFinder(task.reasoning_tags)
        self._excludes_cut_off = task.truncated == "exclude"
        self._extract: Extractor | None = None
        if task.extract is not None:
            self._extract = Extractor(task.extract, where=f"{task.key}: extract")

    async def score(
        self, sample: Sample, generation: Generation, ask: MetricAsk | None = None
    ) -> dict[str, Score | Failure]:
        """Score one answer with every metric; a metric that cannot has a Failure for a score.

        Nothing that a metric raises ends the run, or takes the scores of other metrics with it.
        A sample with a Failure is scored again by the next run, without asking the model again. A
        score whose metric does not say what it found says what `extract` found.

        Args:
            sample, generation: what is scored.
            ask: asks models; None where no metric does.
        """
        judged = self.judged_part(generation)
        extracted = None
        if self._extract is not None and judged.texts[:1] != generation.texts[:1]:
            extracted = judged.texts[0]
        scores: dict[str, Score | Failure] = {}
        for planned, judge, asks in self._metrics:
            try:
                score = judge(sample, judged, ask) if asks else judge(sample, judged)
                if not isinstance(score, Score) and inspect.isawaitable(score):
                    score = await score
                score = _checked(score)
                if extracted is not None and score.parsed is None:
                    score = replace(score, parsed=extracted)
                scores[planned.name] = score
            except BaseException as err:  # plugin boundary: a metric is foreign code
                if must_propagate(err):
                    raise
                scores[planned.name] = _failure(planned, err, asks=asks)
        return scores

    def outcome(self, answer: Generation | Failure, failure: Failure | None) -> Outcome:
        """Say in one word how a sample ended; see `outcome_of`.

        What is left out of every number because it was cut off is `truncated`, scored or not.
        """
        if self._excludes_cut_off and failure is not None and isinstance(answer, Generation):
            ended = outcome_of(answer, None, self._reasoning)
            return "truncated" if ended == "truncated" else "unscored"
        return outcome_of(answer, failure, self._reasoning)

    def judged_part(self, generation: Generation) -> Generation:
        """Leave of each answer what metrics judge: no reasoning, and the extracted part."""
        texts = generation.texts
        for text in texts:
            if self._reasoning.may_have(text):
                texts = self._without_reasoning(generation)
                break
        if self._extract is not None:
            texts = tuple(map(self._extract, texts))
        if texts is generation.texts and not generation.reasonings:
            return generation
        return replace(generation, texts=texts, reasonings=())

    def _without_reasoning(self, generation: Generation) -> tuple[str, ...]:
        """Take reasoning out of each text; the very same texts if there is none."""
        splits = [
            self._reasoning.split(text, is_cut_off=generation.reason(place) == "length")
            for place, text in enumerate(generation.texts)
        ]
        if not any(splits):
            return generation.texts
        both = zip(generation.texts, splits, strict=True)
        return tuple([text if split is None else split.answer for text, split in both])


class Scorers:
    """Makes the scorer of each task once for all models of a plan."""

    def __init__(self) -> None:
        self._made: dict[str, Scorer] = {}

    def of(self, task: PlannedTask) -> Scorer:
        """Return the scorer of a task.

        Raises:
            ConfigError: the task's `extract` is not a regular expression.
        """
        made = self._made.get(task.definition_fingerprint)
        if made is None:
            made = self._made[task.definition_fingerprint] = Scorer(task)
        return made


def split_scores(scored: MetricScores) -> tuple[dict[str, Score], dict[str, Failure]]:
    """Part the scores of a sample from the failures of metrics that could not score it."""
    scores: dict[str, Score] = {}
    failures: dict[str, Failure] = {}
    for name, score in scored.items():
        if isinstance(score, Failure):
            failures[name] = score
        else:
            scores[name] = score
    return scores, failures


def failure_of(failures: Mapping[str, Failure]) -> Failure | None:
    """Say in one failure that metrics could not score a sample: the first; None if all could."""
    for name, first in failures.items():
        return replace(first, message=f"{name}: {first.message}")
    return None


def outcome_of(
    answer: Generation | Failure, failure: Failure | None, reasoning: ReasoningFinder
) -> Outcome:
    """Say in one word how a sample ended.

    Of several answers to one request, the first that is not simply answered decides. A model that
    only calls a tool has not answered: no tool was offered to it.

    Args:
        answer: what the model answered, or why it did not.
        failure: why the sample lacks a score; None if it has all.
        reasoning: tells apart what is no answer.
    """
    if isinstance(answer, Failure):
        return "filtered" if answer.kind == "filtered" else "failed"
    if failure is not None:
        return "unscored"
    if answer.loglikelihoods or _is_plain(answer, reasoning):
        return "answered"
    for place, text in enumerate(answer.texts):
        outcome = _outcome_of_text(text, answer.reason(place), reasoning)
        if answer.refusal is not None and outcome in ("answered", "empty"):
            return "refused"
        if outcome != "answered":
            return outcome
    return "answered" if answer.texts else "empty"


def _is_plain(answer: Generation, reasoning: ReasoningFinder) -> bool:
    """Whether it is what most answers are: one text that ended by itself, and no thought."""
    if answer.stop_reasons != _BY_ITSELF or len(answer.texts) != 1 or answer.refusal is not None:
        return False
    text = answer.texts[0]
    return bool(text) and not text.isspace() and not reasoning.may_have(text)


def _outcome_of_text(text: str, reason: StopReason, reasoning: ReasoningFinder) -> Outcome:
    outcome = _OUTCOME_BY_REASON.get(reason)
    if outcome is not None:
        return outcome
    split: ReasoningSplit | None = reasoning.split(text)
    if (text if split is None else split.answer).strip():
        return "answered"
    return "truncated" if split is not None and split.is_open and reason == "unknown" else "empty"


def _checked(score: object) -> Score:
    """Pass a score on if it is one.

    Raises:
        ValueError: it is not a finite number.
        TypeError: it is something else.
    """
    if not isinstance(score, Score):
        raise TypeError(f"score() gave a {type(score).__name__}, not a Score")
    value = score.value
    if (value is None or isfinite(value)) and (not score.parts or all(map(isfinite, score.parts))):
        return score
    raise ValueError("the score is not a finite number")


def is_asking(metric: object) -> bool:
    """Whether a metric asks models; see `AskingMetric`."""
    return bool(getattr(metric, "roles", None))


def unanswered(err: UnansweredError) -> Failure:
    """Say that a model did not answer which the scores need; that time was over stays that."""
    kind: FailureKind = "time_limit" if err.failure.kind == "time_limit" else "metric"
    text, where = f"{err.role}: {err.what}", err.failure.where
    return Failure(kind, text, err.hint or HINT_OF_ASKING, where)


def _failure(planned: PlannedMetric, err: BaseException, *, asks: bool) -> Failure:
    """Say why a metric did not score a sample: the sample, something around it, or a bug."""
    hint = HINT_OF_ASKING if asks else None
    if isinstance(err, UnansweredError):
        return unanswered(err)
    if isinstance(err, LlmevalError):
        return Failure("metric", err.what, err.hint or hint)
    if isinstance(err, ValueError):
        reason = describe_error(err).removeprefix(f"{type(err).__name__}: ")
    elif isinstance(err, OSError):  # TimeoutError and ConnectionError among them
        reason = describe_error(err)
    else:
        reason = f"{describe_error(err)} (a bug in {planned.plugin}; tell its author)"
    return Failure("metric", reason, hint)
