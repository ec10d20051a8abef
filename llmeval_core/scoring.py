"""From a generation to scores: find the answer in it, and let each metric judge."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite

from llmeval_core.errors import LlmevalError, in_words, passes
from llmeval_core.extraction import Extractor
from llmeval_core.plan import PlannedMetric, PlannedTask
from llmeval_core.records import Failure, Generation, Outcome, Sample, Score, StopReason

_REASONING = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


_OUTCOME_BY_REASON: Mapping[StopReason, Outcome] = {
    "content_filter": "filtered",
    "refusal": "refused",
    "length": "truncated",
}


class Scorer:
    """Scores the answers of one task.

    Attributes:
        awaits: whether a metric is awaited, so that scoring many at once is faster.

    Raises:
        ConfigError: the task's `extract` is not a regular expression.
    """

    def __init__(self, task: PlannedTask) -> None:
        self._metrics = tuple((planned, planned.metric.score) for planned in task.metrics)
        self.awaits = any(
            inspect.iscoroutinefunction(planned.metric.score) for planned in task.metrics
        )
        self._extract: Extractor | None = None
        if task.extract is not None:
            self._extract = Extractor(task.extract, where=f"{task.key}: extract")

    async def score(self, sample: Sample, generation: Generation) -> dict[str, Score] | Failure:
        """Score one answer with every metric; the first metric that cannot makes a Failure.

        Nothing that a metric raises ends the run: the answer is paid for, and kept. A sample
        with a Failure is scored again by the next run, without asking the model again.
        """
        seen = self._seen(generation)
        scores: dict[str, Score] = {}
        for planned, judge in self._metrics:
            try:
                score = judge(sample, seen)
                if not isinstance(score, Score) and inspect.isawaitable(score):
                    score = await score
                scores[planned.name] = _checked(score)
            except BaseException as err:  # the border: a metric is foreign code
                if passes(err):
                    raise
                return _failure(planned, err)
        return scores

    def _seen(self, generation: Generation) -> Generation:
        """Leave of each answer what metrics judge: no reasoning, and the extracted part."""
        texts = generation.texts
        for text in texts:
            if "<think>" in text:
                texts = tuple(_REASONING.sub("", text) for text in texts)
                break
        if self._extract is not None:
            texts = tuple(map(self._extract, texts))
        return generation if texts is generation.texts else replace(generation, texts=texts)


def outcome_of(answer: Generation | Failure, failure: Failure | None) -> Outcome:
    """Say in one word how a sample ended.

    Of several answers, the first that did not end by itself decides.

    Args:
        answer: what the model answered, or why it did not.
        failure: why the sample has no score; None if it has.
    """
    if isinstance(answer, Failure):
        return "filtered" if answer.kind == "filtered" else "failed"
    if failure is not None:
        return "unscored"
    for reason in answer.stop_reasons:
        if reason in _OUTCOME_BY_REASON:
            return _OUTCOME_BY_REASON[reason]
    if answer.texts and not any(text.strip() for text in answer.texts):
        return "empty"
    return "answered"


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


def _failure(planned: PlannedMetric, err: BaseException) -> Failure:
    """Say why a metric did not score a sample: the sample, something around it, or a bug."""
    if isinstance(err, LlmevalError):
        return Failure("metric", f"{planned.name}: {err.what}", err.hint)
    if isinstance(err, ValueError):
        told = in_words(err).removeprefix(f"{type(err).__name__}: ")
    elif isinstance(err, OSError):  # TimeoutError and ConnectionError among them
        told = in_words(err)
    else:
        told = f"{in_words(err)} (a bug in {planned.plugin}; tell its author)"
    return Failure("metric", f"{planned.name}: {told}")
