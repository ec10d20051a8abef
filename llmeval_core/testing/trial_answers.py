"""Samples of the usual shapes with good, bad and odd answers, for a metric that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

from llmeval_core.contracts import AskingMetric, Metric
from llmeval_core.records import Generation, Sample
from llmeval_core.testing.checking_metrics import score_of
from llmeval_core.testing.makers import make_generation, make_sample

Case = tuple[Sample, Generation]


def trial_answers() -> list[Case]:
    """Make the cases: words, numbers, choices by text and by log-likelihood, lines."""
    words = make_sample(id="words")
    number = make_sample(id="number", input="6 x 7?", references=("42",))
    lines = make_sample(id="lines", input="Two colours?", references=("red\nblue",))
    choice = make_sample(id="choice", choices=("Paris", "Rome"), answer=0, references=("Paris",))
    return [
        *((words, make_generation(text)) for text in ("Paris", "It is Paris.", "Rome", "")),
        *((number, make_generation(text)) for text in ("42", "7 x 6 = 42", "41")),
        *((lines, make_generation(text)) for text in ("blue\nred", "red")),
        *((choice, make_generation(text)) for text in ("A", "Rome")),
        *((choice, make_generation(logprobs=pair)) for pair in ((-1.0, -2.0), (-2.0, -1.0))),
    ]


async def scorable(metric: Metric | AskingMetric, cases: Iterable[Case]) -> list[Case]:
    """Choose the cases that a metric can score; a ValueError says that it cannot."""
    found = []
    for sample, generation in cases:
        try:
            await score_of(metric, sample, generation)
        except ValueError:
            continue
        found.append((sample, generation))
    return found
