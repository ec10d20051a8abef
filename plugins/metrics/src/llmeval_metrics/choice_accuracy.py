"""choice_accuracy: was the right choice taken, by log-likelihood or in words?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Literal

from pydantic import Field

from llmeval_core.hooks import (
    Aggregate,
    AnswerBy,
    Generation,
    Loglikelihood,
    Sample,
    Score,
    Settings,
    mean_aggregate,
)
from llmeval_metrics.letters import LETTERS
from llmeval_metrics.per_text import MAJORITY, mean_score, most_frequent, texts_of

_DEFINITIONS = {
    "none": "acc@lm-eval",
    "chars": "acc_norm@lm-eval",
    "bytes": "acc_bytes@lm-eval",
    "tokens": "acc_tokens@llmeval",
}


class ChoiceSettings(Settings):
    """How log-likelihoods of choices of different length are compared."""

    normalize: Literal["none", "chars", "bytes", "tokens"] = Field(
        default="none",
        description="Divide each log-likelihood by the choice's length in characters, UTF-8 "
        "bytes or tokens. Means nothing when answers are words.",
    )
    majority: bool = Field(default=False, description=MAJORITY)


class ChoiceAccuracy:
    """1 if the chosen option is the right one, else 0.

    By log-likelihood: the likeliest choice, the first on a tie. Source: lm-evaluation-harness
    0.4.13, `acc` (none), `acc_norm` (chars), `acc_bytes` (bytes); as there, the length is that of
    the choice without the space before it. `tokens` is our own.

    In words: see `choice_parsing.find_choice`, our own; in a plan the id is then `acc_words`.
    Nothing found, or several choices with equal right, is wrong, not failed.
    """

    higher_is_better = True

    def __init__(self, settings: ChoiceSettings) -> None:
        # Late: compiling its patterns would slow down the start of every run.
        from llmeval_metrics.choice_parsing import find_choice  # noqa: PLC0415

        self._find = find_choice
        self._normalize = settings.normalize
        self._majority = settings.majority
        self.definition = _DEFINITIONS[settings.normalize]
        if settings.majority:
            self.definition += "-majority"

    def for_answers(self, answer_by: AnswerBy) -> ChoiceAccuracy:
        """Return the metric with the id of what it computes: by likelihood, or in words."""
        metric = copy(self)
        if answer_by == "loglikelihood":
            metric.definition = _DEFINITIONS[self._normalize]
        else:
            metric.definition = "acc_words@llmeval-2" + "-majority" * self._majority
        return metric

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Score one sample; `parsed` is the chosen option's letter (a number after Z).

        Raises:
            ValueError: the sample has no choices, or does not say which is right; or the
                log-likelihoods do not fit the choices, are not finite, or lack the number of
                tokens.
        """
        if not sample.choices or sample.answer is None:
            raise ValueError("the sample has no choices, or no right one")
        if generation.loglikelihoods:
            weights = self._weights(sample.choices, generation.loglikelihoods)
            return _score(weights.index(max(weights)), sample.answer)
        chosen = [self._find(text, sample.choices) for text in texts_of(generation)]
        if self._majority:
            place = most_frequent(chosen)
            return _score(None if place is None else chosen[place], sample.answer)
        return mean_score([_score(index, sample.answer) for index in chosen])

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples."""
        return mean_aggregate(scores)

    def _weights(self, choices: Sequence[str], likelihoods: Sequence[Loglikelihood]) -> list[float]:
        if len(choices) != len(likelihoods):
            raise ValueError(f"{len(choices)} choices, but {len(likelihoods)} log-likelihoods")
        for index, likelihood in enumerate(likelihoods):
            if not math.isfinite(likelihood.logprob):
                raise ValueError(f"the log-likelihood of choice {_label(index)} is not finite")
        match self._normalize:
            case "none":
                return [likelihood.logprob for likelihood in likelihoods]
            case "chars":
                lengths = [len(choice) for choice in choices]
            case "bytes":
                lengths = [len(choice.encode()) for choice in choices]
            case "tokens":
                lengths = _token_counts(likelihoods)
        pairs = zip(likelihoods, lengths, strict=True)
        return [likelihood.logprob / max(length, 1) for likelihood, length in pairs]


def _token_counts(likelihoods: Sequence[Loglikelihood]) -> list[int]:
    counts = [likelihood.n_tokens for likelihood in likelihoods]
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        raise ValueError("the model does not tell how many tokens a choice has")
    return known


def _score(chosen: int | None, answer: int) -> Score:
    if chosen is None:
        return Score(0.0)
    return Score(float(chosen == answer), _label(chosen))


def _label(index: int) -> str:
    return LETTERS[index] if index < len(LETTERS) else str(index + 1)
