"""From a generation to scores: find the answer in it, and let each metric judge."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from math import isfinite

from llmeval_core.errors import ConfigError, LlmevalError, in_words, passes
from llmeval_core.plan import PlannedMetric, PlannedTask
from llmeval_core.records import Failure, Generation, Sample, Score

_REASONING = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)


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
        self._extract: re.Pattern[str] | None = None
        if task.extract is not None:
            try:
                self._extract = re.compile(task.extract)
            except re.error as err:
                raise ConfigError(
                    f"extract is not a regular expression: {err}", where=f"{task.key}: extract"
                ) from err

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
            texts = tuple(_first_group(self._extract, text) for text in texts)
        return generation if texts is generation.texts else replace(generation, texts=texts)


def _first_group(pattern: re.Pattern[str], text: str) -> str:
    """Return group 1 of the first match (the whole match without groups), or nothing."""
    match = pattern.search(text)
    if match is None:
        return ""
    return (match.group(1 if pattern.groups else 0) or "").strip()


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
        told = f"{err.what} (try: {err.hint})" if err.hint else err.what
    elif isinstance(err, ValueError):
        told = in_words(err).removeprefix(f"{type(err).__name__}: ")
    elif isinstance(err, OSError):  # TimeoutError and ConnectionError among them
        told = in_words(err)
    else:
        told = f"{in_words(err)} (a bug in {planned.plugin}; tell its author)"
    return Failure("metric", f"{planned.name}: {told}")
