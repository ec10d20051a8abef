"""What a task gives for an item is looked at once: its answers, and its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite

from llmeval_core.errors import FailureKind
from llmeval_core.records import Failure, Generation, Score
from llmeval_core.scoring import HINT_OF_ASKING


def checked_answers(answers: object) -> tuple[Generation, ...]:
    """Pass the answers of an item on.

    Raises:
        TypeError: they are no generations, or none.
    """
    if not isinstance(answers, Sequence) or not answers:
        raise TypeError(f"answer() gave a {type(answers).__name__}, not one generation or more")
    for answer in answers:
        if not isinstance(answer, Generation):
            raise TypeError(f"answer() gave a {type(answer).__name__}, not a Generation")
    return tuple(answers)


def checked_scores(scores: object, metrics: Sequence[str]) -> dict[str, Score | Failure]:
    """Pass the scores of an item on, in the order of the task's metrics.

    What is no score, or not a finite number, becomes the failure of this one metric.

    Raises:
        TypeError: they are no mapping of metrics to scores, or one is missing or too many.
    """
    if not isinstance(scores, Mapping):
        raise TypeError(f"score() gave a {type(scores).__name__}, not a mapping of scores")
    if set(scores) != set(metrics):
        wrong = sorted(map(str, set(scores) ^ set(metrics)))
        raise TypeError(f"score() gave other metrics than the task has: {', '.join(wrong)}")
    return {name: _checked_score(scores[name]) for name in metrics}


def _checked_score(score: object) -> Score | Failure:
    if isinstance(score, Failure):
        kind: FailureKind = score.kind if score.kind == "time_limit" else "metric"
        return replace(score, kind=kind, hint=score.hint or HINT_OF_ASKING)
    if not isinstance(score, Score):
        reason = f"score() gave a {type(score).__name__}, not a Score"
        return Failure("metric", f"{reason} (a bug in the task; tell its author)")
    numbers = [score.value, *score.parts]
    if not all(number is None or isfinite(number) for number in numbers):
        return Failure("metric", "the score is not a finite number")
    return score
