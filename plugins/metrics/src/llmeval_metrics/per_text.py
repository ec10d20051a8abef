"""The frame of metrics that judge a text: what counts if a generation has several."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from llmeval_core.hooks import Aggregate, Generation, Sample, Score, mean_aggregate

MAJORITY = (
    "Of several answers to a sample (`n` above 1), judge the one that most of them give, the first "
    "of them on a tie; answers in which nothing is found have no vote. Else their mean counts."
)
"""What the setting `majority` says of itself."""


class TextMetric(ABC):
    """Scores each text of a generation and takes the mean, so that n > 1 gives no bias.

    Attributes:
        definition: the id of what is computed.
        higher_is_better: True unless a subclass says otherwise.
        needs_reference: whether a sample without references cannot be scored.
    """

    definition: str
    higher_is_better = True
    needs_reference = True

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Score one sample.

        Raises:
            ValueError: the sample has no reference, or the generation no text.
        """
        if self.needs_reference and not sample.references:
            raise ValueError("the sample has no reference")
        texts = texts_of(generation)
        if len(texts) == 1:
            return self.judge(texts[0], sample)
        return mean_score([self.judge(text, sample) for text in texts])

    def aggregate(self, scores: Iterable[Score]) -> Aggregate:
        """Average over samples."""
        return mean_aggregate(scores)

    @abstractmethod
    def judge(self, text: str, sample: Sample) -> Score:
        """Score one answer; the sample has a reference if the metric needs one."""


class VotingMetric(TextMetric):
    """A metric that finds an answer in a text, so that several texts can vote.

    Attributes:
        majority: whether the answer that most texts give is judged alone.
    """

    majority = False

    def score(self, sample: Sample, generation: Generation) -> Score:
        """Score one sample: the mean over texts, or the text with the most frequent answer.

        Raises:
            ValueError: the sample cannot be scored, or the generation has no text.
        """
        texts = generation.texts
        if self.majority and len(texts) > 1:
            place = most_frequent([self.vote(text, sample) for text in texts])
            # Without any vote the first text is judged: it has no answer either.
            generation = replace(generation, texts=(texts[place or 0],))
        return super().score(sample, generation)

    @abstractmethod
    def vote(self, text: str, sample: Sample) -> str | None:
        """Return the answer in a text as equal answers are written; None if it has none."""


def most_frequent(votes: Sequence[Hashable | None]) -> int | None:
    """Return where the most frequent vote stands first; the earlier one on a tie; None if none.

    Who finds no answer has no vote.
    """
    counts = Counter(vote for vote in votes if vote is not None)
    return votes.index(max(counts, key=counts.__getitem__)) if counts else None


def texts_of(generation: Generation) -> tuple[str, ...]:
    """Return the answers, at least one.

    Raises:
        ValueError: there is none, because the choices were scored by log-likelihood.
    """
    if not generation.texts:
        raise ValueError("there is no text to judge; the model only scored the choices")
    return generation.texts


def mean_score(scores: Sequence[Score]) -> Score:
    """Make one score of one for each text: the mean value, the summed parts.

    `parsed` is that of the first text.
    """
    values = [score.value for score in scores if score.value is not None]
    value = math.fsum(values) / len(values) if values else None
    parts = tuple(map(math.fsum, zip(*(score.parts for score in scores), strict=True)))
    return Score(value, scores[0].parsed, parts)
