"""The samples of a result as a table for W&B."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from llmeval_core.hooks import (
    Json,
    ReasoningFinder,
    ReasoningSplit,
    SampleResult,
    split_answers,
)

_MAX_CELL = 4000


def sample_rows(
    samples: Iterable[SampleResult], *, max_rows: int, reasoning: ReasoningFinder | None = None
) -> tuple[list[str], list[list[Json]], bool]:
    """Return columns, rows in sample order, and whether samples were left out."""
    stream = iter(samples)
    kept = list(islice(stream, max_rows))
    metrics = sorted({name for sample in kept for name in sample.scores})
    # A metric may be called "outcome", and no two columns may.
    outcome_column = "how it ended" if "outcome" in metrics else "outcome"
    columns = ["id", "category", "question", "expected", "reasoning", "answer", *metrics]
    finder = reasoning or ReasoningFinder()
    rows = [_row(sample, metrics, finder) for sample in kept]
    return [*columns, outcome_column, "failure"], rows, next(stream, None) is not None


def _row(result: SampleResult, metrics: list[str], finder: ReasoningFinder) -> list[Json]:
    sample, generation = result.sample, result.generation
    expected = sample.references
    if not expected and sample.answer is not None:
        expected = (sample.choices[sample.answer],)
    answer = ReasoningSplit("", "")
    if generation is not None and generation.texts:
        answer = split_answers(generation, finder)[0]
    scores: list[Json] = [
        None if (score := result.scores.get(name)) is None else score.value for name in metrics
    ]
    return [
        _cell(sample.id),
        _cell(sample.category or ""),
        _cell(sample.input_text),
        _cell("\n".join(expected)),
        _cell(answer.reasoning),
        _cell(answer.answer),
        *scores,
        result.outcome,
        _cell(result.failure_text),
    ]


def _cell(text: str) -> str:
    """Return a text as a cell takes it: not too long, and without halves of an emoji."""
    cut = text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…"
    return cut.encode("utf-8", "backslashreplace").decode()
