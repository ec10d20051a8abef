"""The samples of a result as a table for W&B."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from llmeval_core.hooks import (
    Json,
    ReasoningFinder,
    ReasoningSplit,
    SampleResult,
    conversation_text,
    split_answers,
)

_MAX_CELL = 4000
_MAX_CONVERSATION = 16_000


def sample_rows(
    samples: Iterable[SampleResult], *, max_rows: int, reasoning: ReasoningFinder | None = None
) -> tuple[list[str], list[list[Json]], bool]:
    """Return columns, rows in sample order, and whether samples were left out.

    Samples that took several requests, or have images or calls of tools, have their conversation in
    a column; there is none if all others have none.
    """
    stream = iter(samples)
    kept = list(islice(stream, max_rows))
    metrics = sorted({name for sample in kept for name in sample.scores})
    # A metric may be called "outcome", and no two columns may.
    outcome_column = "how it ended" if "outcome" in metrics else "outcome"
    columns = ["id", "category", "question", "expected", "reasoning", "answer", *metrics]
    finder = reasoning or ReasoningFinder()
    rows = [_row(sample, metrics, finder) for sample in kept]
    columns += [outcome_column, "failure"]
    told = [conversation_text(sample, finder) for sample in kept]
    if any(text is not None for text in told):
        columns.append("all turns" if "conversation" in metrics else "conversation")
        for row, text in zip(rows, told, strict=True):
            row.append(_without_middle(text or ""))
    return columns, rows, next(stream, None) is not None


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
    return _well_formed(text if len(text) <= _MAX_CELL else f"{text[:_MAX_CELL]}…")


def _without_middle(text: str) -> str:
    """Leave of a long text how it begins and how it ends."""
    half = _MAX_CONVERSATION // 2
    is_long = len(text) > _MAX_CONVERSATION
    return _well_formed(f"{text[:half]}\n…\n{text[-half:]}" if is_long else text)


def _well_formed(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
