"""From a generation to scores: find the answer in it, and let each metric judge."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import replace

from llmeval_core.errors import ConfigError, LlmevalError, PluginError
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
        self._metrics = task.metrics
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

        Raises:
            PluginError: a metric failed otherwise than by ValueError.
        """
        seen = self._seen(generation)
        scores: dict[str, Score] = {}
        for planned in self._metrics:
            try:
                given = planned.metric.score(sample, seen)
                score = await given if inspect.isawaitable(given) else given
                problem = _problem(planned, score)
            except ValueError as err:
                return Failure("metric", f"{planned.name}: {err}")
            except LlmevalError:
                raise
            except Exception as err:  # the border: a metric is foreign code
                raise PluginError(
                    f"metric '{planned.name}' failed on sample '{sample.id}': "
                    f"{type(err).__name__}: {err}",
                    hint="this is a bug in the plugin; tell its author",
                ) from err
            if problem is not None:
                return Failure("metric", problem)
            scores[planned.name] = score
        return scores

    def _seen(self, generation: Generation) -> Generation:
        """Leave of each answer what metrics judge: no reasoning, and the extracted part."""
        texts = generation.texts
        if any("<think>" in text for text in texts):
            texts = tuple(_REASONING.sub("", text) for text in texts)
        if self._extract is not None:
            texts = tuple(_first_group(self._extract, text) for text in texts)
        return generation if texts is generation.texts else replace(generation, texts=texts)


def _first_group(pattern: re.Pattern[str], text: str) -> str:
    """Return group 1 of the first match (the whole match without groups), or nothing."""
    match = pattern.search(text)
    if match is None:
        return ""
    return (match.group(1 if pattern.groups else 0) or "").strip()


def _problem(planned: PlannedMetric, score: object) -> str | None:
    if not isinstance(score, Score):
        raise TypeError(f"score() gave a {type(score).__name__}, not a Score")
    numbers = score.parts if score.value is None else (score.value, *score.parts)
    if all(math.isfinite(number) for number in numbers):
        return None
    return f"{planned.name}: the score is not a finite number"
